import { LakeError } from "../../core/errors.ts";

/** How a request to HDFS failed. */
export interface Failure {
  /** Class of the server's exception without its package, such as `StandbyException`; null when no such answer came. */
  exception: string | null;
  /** HTTP status; null without an answer. */
  status: number | null;
  /** `host:port` of the DataNode that failed, or null when it was the NameNode. */
  dataNode: string | null;
  /** Whether the request surely changed nothing: it was refused, or never sent. */
  harmless: boolean;
}

/** A request to HDFS that failed. Its message holds no token. It stays inside the lake, which throws LakeErrors. */
export class WebHdfsError extends Error implements Failure {
  readonly exception: string | null;
  readonly status: number | null;
  readonly dataNode: string | null;
  readonly harmless: boolean;

  constructor(message: string, failure: Partial<Failure> = {}) {
    super(redact(message));
    this.name = "WebHdfsError";
    this.exception = failure.exception ?? null;
    this.status = failure.status ?? null;
    this.dataNode = failure.dataNode ?? null;
    this.harmless = failure.harmless ?? false;
  }

  /** Whether another try may have another end. Whatever is not known to be final is tried again. */
  get retriable(): boolean {
    if (this.exception !== null && FINAL.test(this.exception)) return false;
    return this.status === null || ![400, 401, 404].includes(this.status);
  }

  /** Whether HDFS says that there is no such file. A 404 without its exception is a wrong address, not an empty lake. */
  get missing(): boolean {
    return this.exception === "FileNotFoundException";
  }

  /** Whether another NameNode should be asked: this one is a standby, or did not answer. */
  get unreachable(): boolean {
    if (this.dataNode !== null) return false;
    return this.exception === "StandbyException" || this.status === null || this.status >= 500;
  }

  /** Whether the DataNode is to be avoided: it did not answer, or not as a healthy one. */
  get brokenDataNode(): string | null {
    return this.status === null || this.status >= 500 ? this.dataNode : null;
  }
}

/** Exceptions that waiting does not mend. */
const FINAL =
  /^(AccessControlException|AuthorizationException|SecurityException|InvalidToken|\w*Quota\w*Exception|FileNotFoundException|FileAlreadyExistsException|PathIsNotEmptyDirectoryException|ParentNotDirectoryException|InvalidPathException|IllegalArgumentException|UnsupportedOperationException)$/;
/** What a connection fails with before a byte of the request was sent. */
const NEVER_SENT = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"]);
/** HDFS has DataNodes, and none took a block. Left out are those that did not take it when they were asked. */
const NOT_PLACED = /There are ([1-9]\d*) datanode\(s\) running and (no|\d+) node\(s\) are excluded/;
/** The NameNode knows no DataNode to send a writer to. */
const NOT_FOUND = /Failed to find datanode/;

/**
 * An answer that is no success.
 *
 * @param body the answer's text, or what it was parsed to
 * @param dataNode who gave it, when it was not the NameNode
 */
export function answerError(status: number, body: unknown, dataNode: string | null = null): WebHdfsError {
  const { exception, message } = remoteException(body);
  // A DataNode appends the server's stack.
  const text = message?.split("\n")[0] ?? `HTTP status ${status}`;
  return new WebHdfsError(exception === null ? text : `${exception}: ${text}`, {
    exception,
    status,
    dataNode,
    harmless: exception !== null && status < 500,
  });
}

/** No answer: the connection failed, or was given up because of `timedOut`. */
export function connectionError(
  error: unknown,
  where: { nameNode: string; dataNode: string | null; timedOut: boolean },
): WebHdfsError {
  const node = where.dataNode === null ? `the NameNode ${where.nameNode}` : `the DataNode ${where.dataNode}`;
  if (where.timedOut) return new WebHdfsError(`${node} did not answer in time`, { dataNode: where.dataNode });
  const { code, message } = error as { code?: unknown; message?: unknown };
  const reason = typeof code === "string" ? code : String(message ?? error);
  return new WebHdfsError(`no answer from ${node}: ${reason}`, {
    dataNode: where.dataNode,
    harmless: typeof code === "string" && NEVER_SENT.has(code),
  });
}

/** The lake's own error for one of a request. @param action `write`, … @param what the path */
export function lakeError(action: string, what: string, error: unknown): LakeError {
  if (error instanceof LakeError) return error;
  if (!(error instanceof WebHdfsError)) throw error; // a bug
  const message = `Cannot ${action} ${what} in HDFS: ${error.message}`;
  const { exception, status } = error;
  if (exception === "FileAlreadyExistsException") return new LakeError("exists", message);
  if (exception !== null && /Quota/.test(exception)) {
    return new LakeError("full", message, {
      hint: "Raise the quota (hdfs dfsadmin -setQuota, -setSpaceQuota) or free some space; the flow resumes by itself.",
    });
  }
  const [, running, excluded] = NOT_PLACED.exec(error.message) ?? [];
  // The NameNode offers a DataNode until less than a block is left on it; on Hadoop's defaults the DataNode itself refuses
  // a gigabyte before that.
  const isFull = excluded === "no" || excluded === "0";
  if (isFull || (excluded !== undefined && excluded === running) || NOT_FOUND.test(error.message)) {
    const why = isFull
      ? "no DataNode has the space for it"
      : "no DataNode takes it: their disks are full, or they do not answer";
    return new LakeError(
      isFull ? "full" : "unavailable",
      `Cannot ${action} ${what} in HDFS: ${why} (${error.message})`,
      {
        hint: "`hdfs dfsadmin -report` tells what space is left: free some, or add a DataNode; the flow resumes by itself.",
      },
    );
  }
  if (
    status === 401 ||
    (exception !== null && /^(AccessControl|Authorization|Security|ParentNotDirectory)/.test(exception)) ||
    exception === "InvalidToken"
  ) {
    return new LakeError("unwritable", message, {
      hint: "Give the user of HDFS_USER (or of the token) the folder: hdfs dfs -mkdir -p, hdfs dfs -chown.",
    });
  }
  if (error.missing) return new LakeError("missing", message);
  return new LakeError("unavailable", message);
}

/** Takes delegation tokens out of a text. */
export function redact(text: string): string {
  return text.replace(/(delegation(?:=|%3D))[^&\s"']*/gi, "$1…");
}

function remoteException(body: unknown): { exception: string | null; message: string | null } {
  let value = body;
  if (typeof value === "string") {
    try {
      value = JSON.parse(value);
    } catch {
      return { exception: null, message: null }; // a proxy's page: its status says more
    }
  }
  const { RemoteException: remote } = (value ?? {}) as {
    RemoteException?: { exception?: unknown; message?: unknown };
  };
  if (typeof remote?.exception !== "string") return { exception: null, message: null };
  return { exception: remote.exception, message: String(remote.message ?? "") };
}
