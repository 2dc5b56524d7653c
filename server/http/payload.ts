import { type Effort, compress } from "./compression.ts";
import { isKnown, weakTag } from "./etag.ts";
import { type Coding, chooseCoding } from "./negotiation.ts";

/** Smaller bodies are not worth compressing, bytes: they fit one packet anyway. */
const COMPRESS_MIN = 1_024;

/** The body of an answer that is there as a whole; in each coding it is compressed once. */
export class Payload {
  readonly #bytes: Uint8Array;
  readonly #effort: Effort | null;
  readonly #content: (() => string | Uint8Array) | undefined;
  readonly #compressed = new Map<Coding, Promise<Uint8Array>>();
  #etag: string | undefined;

  /**
   * @param options.effort null for what hardly shrinks, such as Arrow
   * @param options.content what gives it an entity tag; without it it has none of its own
   */
  constructor(
    body: string | Uint8Array,
    { effort, content }: { effort: Effort | null; content?: () => string | Uint8Array },
  ) {
    this.#bytes = typeof body === "string" ? Buffer.from(body) : body;
    this.#effort = effort;
    this.#content = content;
  }

  /** Its length as it is, bytes. */
  get size(): number {
    return this.#bytes.byteLength;
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
    const pays = this.#effort !== null && this.#bytes.byteLength >= COMPRESS_MIN;
    const coding = chooseCoding(request, { pays });
    if (coding === null) return new Response(this.#bytes, { status, headers });
    const compressed = this.#compressed.get(coding) ?? compress(this.#bytes, coding, this.#effort ?? "quick");
    this.#compressed.set(coding, compressed);
    return new Response(await compressed, { status, headers: { ...headers, "content-encoding": coding } });
  }
}

function isRead({ method }: Request): boolean {
  return method === "GET" || method === "HEAD";
}
