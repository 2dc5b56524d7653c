import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { isKnown, weakTag } from "./etag.ts";
import type { Format } from "./formats.ts";

/** Smaller bodies are not worth compressing: they fit one packet anyway. */
const GZIP_MIN = 1_024;

const compress = promisify(gzip);

/** The body of an answer. One that is kept is compressed once, and well; any other quickly. */
export class Payload {
  readonly #bytes: Uint8Array;
  readonly #format: Format;
  readonly #kept: boolean;
  readonly #content: (() => string | Uint8Array) | undefined;
  #compressed: Promise<Uint8Array> | undefined;
  #etag: string | undefined;

  /** @param options.content what gives it an entity tag; without it it has none of its own */
  constructor(
    body: string | Uint8Array,
    format: Format,
    options: { kept: boolean; content?: () => string | Uint8Array },
  ) {
    this.#content = options.content;
    this.#bytes = typeof body === "string" ? Buffer.from(body) : body;
    this.#format = format;
    this.#kept = options.kept;
  }

  /**
   * Answers a request, compressed where it pays and the caller takes it; with 304 where the caller has what it would be
   * given.
   */
  async respond(
    request: Request,
    init: { status?: number; headers: Record<string, string> },
  ): Promise<Response> {
    const { status = 200 } = init;
    let { headers } = init;
    if (this.#content !== undefined && status === 200 && isRead(request)) {
      const etag = (this.#etag ??= weakTag(this.#content()));
      headers = { ...headers, "cache-control": "no-cache", etag };
      if (isKnown(request.headers.get("if-none-match"), etag)) {
        return new Response(null, { status: 304, headers });
      }
    }
    const pays = this.#format !== "arrow" && this.#bytes.byteLength >= GZIP_MIN;
    if (!pays || !takesGzip(request)) return new Response(this.#bytes, { status, headers });
    this.#compressed ??= compress(this.#bytes, { level: this.#kept ? 6 : 1 });
    return new Response(await this.#compressed, {
      status,
      headers: { ...headers, "content-encoding": "gzip" },
    });
  }
}

function isRead({ method }: Request): boolean {
  return method === "GET" || method === "HEAD";
}

/** Whether the caller takes a body with gzip. */
export function takesGzip(request: Request): boolean {
  const accepted = request.headers.get("accept-encoding")?.toLowerCase() ?? "";
  const match = /(?:^|,)\s*(?:gzip|x-gzip)\s*(?:;\s*q=([\d.]+))?\s*(?:,|$)/.exec(accepted);
  return match !== null && (match[1] === undefined || Number(match[1]) > 0);
}
