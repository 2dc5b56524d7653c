/** The calls of the package `webhdfs` that are used here; it brings no types of its own. */
declare module "webhdfs" {
  interface HdfsResponse {
    statusCode: number;
    /** Parsed JSON, or text where it is none; undefined when nothing came. */
    body?: unknown;
  }
  /** A request of the package `request`, which it is built on. */
  interface HdfsRequest {
    /** What the server answered, once it has. */
    response?: HdfsResponse;
    prependListener(event: "complete", listener: (response: HdfsResponse) => void): this;
    abort(): void;
  }
  type Callback<T> = (error: (Error & { code?: string }) | null | undefined, value?: T) => void;
  interface FileStatus {
    /** Name in its folder; empty for the file or folder that was asked for. */
    pathSuffix: string;
    type: "FILE" | "DIRECTORY" | "SYMLINK";
    /** Bytes. */
    length: number;
    /** ms since the epoch. */
    modificationTime: number;
  }
  interface HdfsClient {
    mkdir(path: string, callback: Callback<void>): HdfsRequest;
    stat(path: string, callback: Callback<FileStatus>): HdfsRequest;
    unlink(path: string, callback: Callback<void>): HdfsRequest;
  }
  export function createClient(
    options: { protocol: string; host: string; port: string; path: string; user?: string },
    requestOptions: { qs?: Record<string, string> },
  ): HdfsClient;
  export type { Callback, FileStatus, HdfsClient, HdfsRequest };
}
