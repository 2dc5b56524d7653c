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
 * What the package `webhdfs` (checked: 1.2.0) does: MKDIRS, GETFILESTATUS and DELETE. The NameNode answers these itself,
 * with one small JSON object. Three things are mended here, each with a test in `test/jobs/lake/webhdfs-package.test.ts`:
 *
 * - The package may never call back: each call ends with its signal.
 * - It tells the message of an error only: class and status are read from the request it returns.
 * - It reads a success without looking at it. An empty one makes `stat` throw outside of every callback, which would end
 *   the process, and a proxy's page passes for a folder made: an answer that is no object is a failure.
 *
 * All else is {@link ./webhdfs-rest.ts RestClient}'s, for what the package does with it:
 *
 * | Call               | In the package                                                                              |
 * | ------------------ | ------------------------------------------------------------------------------------------- |
 * | CREATE             | no signal reaches the DataNode's half, and its refusal has no status; a 503 hangs           |
 * | OPEN               | a failed one never calls back, or succeeds with nothing                                     |
 * | RENAME             | takes a refusal for success, and has no `renameoptions`, the create-if-absent of a commit    |
 * | LISTSTATUS_BATCH   | missing: a folder comes in one answer, however large                                        |
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

  /** What is known of a file or folder. */
  stat(nameNode: URL, path: string, signal: AbortSignal): Promise<FileStatus> {
    return this.#call(nameNode, signal, (client, done: Callback<FileStatus>) => client.stat(path, done));
  }

  /** Deletes a file or an empty folder; one that is gone is fine. */
  unlink(nameNode: URL, path: string, signal: AbortSignal): Promise<void> {
    return this.#call(nameNode, signal, (client, done: Callback<void>) => client.unlink(path, done));
  }

  #call<T>(
    nameNode: URL,
    signal: AbortSignal,
    start: (client: HdfsClient, done: Callback<T>) => HdfsRequest,
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const noAnswer = (reason: unknown, timedOut: boolean) =>
        connectionError(reason, { nameNode: nameNode.host, dataNode: null, timedOut });
      if (signal.aborted) return reject(noAnswer(signal.reason, true));
      const abort = () => {
        request.abort();
        reject(noAnswer(signal.reason, true));
      };
      let unreadable = false;
      const request = start(this.#client(nameNode), (error, value) => {
        signal.removeEventListener("abort", abort);
        const refusal = refusalOf(request);
        if (refusal !== null) reject(refusal);
        else if (unreadable) reject(noAnswer("it answered with something else than JSON", false));
        else if (error) reject(noAnswer(error, false));
        else resolve(value as T);
      });
      // Before the package itself looks at the answer.
      request.prependListener("complete", (response) => {
        unreadable = typeof response.body !== "object" || response.body === null;
        if (unreadable) response.body = {};
      });
      signal.addEventListener("abort", abort, { once: true });
    });
  }

  /** A client for one call: the package keeps no connections itself. */
  #client(nameNode: URL): HdfsClient {
    const { user, token } = this.#credentials;
    return createClient(
      {
        protocol: nameNode.protocol.slice(0, -1),
        host: nameNode.hostname,
        port: nameNode.port || (nameNode.protocol === "https:" ? "443" : "80"),
        path: nameNode.pathname,
        ...(token === undefined ? { user } : {}),
      },
      token === undefined ? {} : { qs: { delegation: token } },
    );
  }
}

/** The server's refusal, or null when it gave none. */
function refusalOf(request: HdfsRequest): WebHdfsError | null {
  const { response } = request;
  if (response === undefined || response.statusCode < 308) return null;
  return answerError(response.statusCode, response.body);
}
