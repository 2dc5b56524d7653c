import { RequestError } from "../../core/errors.ts";
import { describe } from "../../core/observation.ts";
import type { PostedLine } from "../../jobs/posted-lines.ts";

/** Longest line, bytes. */
export const LINE_MAX = 2 ** 20;
/** Longest body, bytes. */
export const BODY_MAX = 16 * 2 ** 20;

const NEWLINE = 10;
const decoder = new TextDecoder("utf-8", { fatal: true });

/**
 * The lines of a body, as they came, without empty ones.
 *
 * @throws RequestError `too_large` naming the line, `bad_parameter` for one that is not UTF-8
 */
export async function readLines(request: Request): Promise<PostedLine[]> {
  const bytes = await readBody(request);
  const lines: PostedLine[] = [];
  for (let start = 0, number = 1; start < bytes.length; number++) {
    const newline = bytes.indexOf(NEWLINE, start);
    const end = newline === -1 ? bytes.length : newline;
    if (end - start > LINE_MAX) throw tooLong(`Line ${number}`, end - start);
    const text = decode(bytes.subarray(start, end), `Line ${number}`).replace(/\r$/, "");
    if (text.trim() !== "") lines.push({ line: number, text });
    start = end + 1;
  }
  return lines;
}

/**
 * The items of a body that is a JSON array, or the one object it is, each as a line of JSON.
 *
 * @throws RequestError `too_large` naming the item, `bad_parameter` when the body is neither
 */
export async function readItems(request: Request): Promise<PostedLine[]> {
  const text = decode(await readBody(request), "The body");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new RequestError("bad_parameter", `The body is not JSON, wanted an object or an array of objects`);
  }
  if (typeof value !== "object" || value === null) {
    throw new RequestError(
      "bad_parameter",
      `The body is ${describe(value)}, wanted an object or an array of objects`,
    );
  }
  return (Array.isArray(value) ? (value as unknown[]) : [value]).map((item, index) => {
    const text = JSON.stringify(item, (name, part: unknown) => {
      // 1e999 is read as infinite, and would be written as null: as if it were missing.
      if (typeof part !== "number" || Number.isFinite(part)) return part;
      throw new RequestError(
        "bad_parameter",
        `Item ${index + 1}: ${describe(name)} is ${part}, wanted a number`,
      );
    });
    const size = Buffer.byteLength(text);
    if (size > LINE_MAX) throw tooLong(`Item ${index + 1}`, size);
    return { line: index + 1, text };
  });
}

/**
 * The whole body as text.
 *
 * @param max longest body, bytes
 * @throws RequestError `too_large`, `bad_parameter` when it is not UTF-8
 */
export async function readText(request: Request, max: number): Promise<string> {
  return decode(await readBody(request, max), "The body");
}

/** The whole body, unpacked, read no further than it may be long. */
async function readBody(request: Request, max = BODY_MAX): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  let newlines = 0;
  for await (const chunk of unpacked(request)) {
    for (let i = chunk.indexOf(NEWLINE); i !== -1 && size + i <= max; i = chunk.indexOf(NEWLINE, i + 1))
      newlines++;
    size += chunk.byteLength;
    if (size > max) {
      throw new RequestError("too_large", `The body passes ${max} bytes in line ${newlines + 1}`, {
        hint: "Send it in parts.",
      });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/**
 * The body as it was before it was compressed, as it comes: of a small body that unpacks to a huge one no more is unpacked than is
 * read.
 */
async function* unpacked(request: Request): AsyncGenerator<Uint8Array> {
  const { body } = request;
  if (body === null) return;
  const encoding = request.headers.get("content-encoding")?.trim().toLowerCase() ?? "";
  if (encoding === "" || encoding === "identity") return yield* body;
  if (encoding !== "gzip" && encoding !== "x-gzip") {
    throw new RequestError(
      "unsupported_media_type",
      `The content encoding is ${describe(encoding)}, wanted gzip or none`,
    );
  }
  try {
    yield* body.pipeThrough(new DecompressionStream("gzip"));
  } catch {
    throw new RequestError("bad_parameter", "The body is not gzip, as its Content-Encoding says");
  }
}

function decode(bytes: Uint8Array, what: string): string {
  try {
    return decoder.decode(bytes);
  } catch {
    if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
      throw new RequestError("bad_parameter", `${what} is gzip, and no Content-Encoding says so`, {
        hint: "Send the header Content-Encoding: gzip.",
      });
    }
    throw new RequestError("bad_parameter", `${what} is not UTF-8`);
  }
}

function tooLong(what: string, size: number): RequestError {
  return new RequestError("too_large", `${what} is ${size} bytes long, wanted at most ${LINE_MAX}`);
}
