import { createClient, type Callback, type FileStatus, type HdfsClient, type HdfsRequest } from "webhdfs";
import { answerError, connectionError, WebHdfsError } from "./webhdfs-error.ts";

/** Who asks, and how. */
export interface Credentials {
  /** Sent as `user.name` when there is no token. */
  user: string;
  /** Delegation token. */
  token?: string;
}

/**
 * What the package `webhdfs` does right: mkdir, readdir, stat, unlink and writeFile, each under a signal, because the
 * package may never call back. It tells the message of an error only; class and status are read from the request it
 * returns.
 *
 * It is not used for OPEN (a failed one never calls back, or succeeds with nothing), RENAME (it takes a refusal for
 * success, and knows no option), listings in pages, or writes that must avoid a broken DataNode.
 */
export class PackageClient {
  readonly #credentials: Credentials;

  constructor(credentials: Credentials) {
    this.#credentials = credentials;
  }

  /** Makes a folder and its parents; one that is there is fine. */
  mkdir(nameNode: URL, path: string, signal: AbortSignal): Promise<void> {
    return this.#call(nameNode, signal, (client, done: Callback<void>) => client.mkdir(path, done));
  }

  /** Every entry of a folder, in one answer. */
  readdir(nameNode: URL, path: string, signal: AbortSignal): Promise<FileStatus[]> {
    return this.#call(nameNode, signal, (client, done: Callback<FileStatus[]>) => client.readdir(path, done));
  }

  /** What is known of a file or folder. */
  stat(nameNode: URL, path: string, signal: AbortSignal): Promise<FileStatus> {
    return this.#call(nameNode, signal, (client, done: Callback<FileStatus>) => client.stat(path, done));
  }

  /** Deletes a file or an empty folder; one that is gone is fine. */
  unlink(nameNode: URL, path: string, signal: AbortSignal): Promise<void> {
    return this.#call(nameNode, signal, (client, done: Callback<void>) => client.unlink(path, done));
  }

  /**
   * Writes a file. The package takes some failures of a DataNode for success: look at the length afterwards.
   *
   * @param timeoutMs when the DataNode's half, which no signal reaches, ends by itself
   */
  async writeFile(
    nameNode: URL,
    path: string,
    bytes: Uint8Array,
    signal: AbortSignal,
    timeoutMs: number,
  ): Promise<void> {
    if (signal.aborted) throw connectionError(signal.reason, { ...at(nameNode), timedOut: true });
    await new Promise<void>((resolve, reject) => {
      const done = (error?: WebHdfsError) => {
        signal.removeEventListener("abort", abort);
        if (error === undefined) resolve();
        else reject(error);
      };
      const dataNode = () => authorityOf(request.response?.headers.location);
      const abort = () => {
        request.abort();
        done(connectionError(signal.reason, { ...at(nameNode, dataNode()), timedOut: true }));
      };
      const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      const options = { permission: "644" };
      const request = this.#client(nameNode, timeoutMs).writeFile(path, data, options, (error) => {
        if (!error) return done();
        const where = at(nameNode, dataNode());
        if (typeof error.code === "string")
          return done(connectionError(error, { ...where, timedOut: false }));
        // The DataNode's answer is out of reach: only its message is known, and that it is one of an HTTP error.
        const answer = { status: 403, dataNode: where.dataNode };
        done(failureOf(request) ?? new WebHdfsError(error.message.split("\n")[0]!, answer));
      });
      // For a 503 of the NameNode the package does not call back.
      request.on("complete", () => {
        if (dataNode() === null)
          done(failureOf(request) ?? new WebHdfsError("the NameNode named no DataNode"));
      });
      signal.addEventListener("abort", abort, { once: true });
    });
  }

  #call<T>(
    nameNode: URL,
    signal: AbortSignal,
    start: (client: HdfsClient, done: Callback<T>) => HdfsRequest,
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const timedOut = () => connectionError(signal.reason, { ...at(nameNode), timedOut: true });
      if (signal.aborted) return reject(timedOut());
      const abort = () => {
        request.abort();
        reject(timedOut());
      };
      const request = start(this.#client(nameNode), (error, value) => {
        signal.removeEventListener("abort", abort);
        if (!error) return resolve(value as T);
        reject(failureOf(request) ?? connectionError(error, { ...at(nameNode), timedOut: false }));
      });
      signal.addEventListener("abort", abort, { once: true });
    });
  }

  /** A client for one call: the package keeps no connections itself. */
  #client(nameNode: URL, timeoutMs = 600_000): HdfsClient {
    const { user, token } = this.#credentials;
    return createClient(
      {
        protocol: nameNode.protocol.slice(0, -1),
        host: nameNode.hostname,
        port: nameNode.port || (nameNode.protocol === "https:" ? "443" : "80"),
        path: nameNode.pathname,
        ...(token === undefined ? { user } : {}),
      },
      {
        timeout: timeoutMs,
        ...(token === undefined ? {} : { qs: { delegation: token } }),
      },
    );
  }
}

/** The server's refusal, or null when it gave none. */
function failureOf(request: HdfsRequest): WebHdfsError | null {
  const { response } = request;
  if (response === undefined || response.statusCode < 308) return null;
  return answerError(response.statusCode, response.body);
}

function at(nameNode: URL, dataNode: string | null = null): { nameNode: string; dataNode: string | null } {
  return { nameNode: nameNode.host, dataNode };
}

function authorityOf(location: string | undefined): string | null {
  return location === undefined || !URL.canParse(location) ? null : new URL(location).host;
}
