import { type FileHandle, open } from "node:fs/promises";
import { createGunzip } from "node:zlib";
import { codeOf, messageOf, SourceError } from "../../core/errors.ts";
import { asUtf8, type Encoding } from "./encoding.ts";

/** Longest line taken whole, bytes. */
const LINE_MAX = 1024 * 1024;
/** What is kept of a longer one, bytes. */
const LINE_KEPT = 64 * 1024;
/** Ends what was kept of a longer line, so that it cannot pass for a whole one. */
const CUT_MARK = "…";

const BLOCK_BYTES = 256 * 1024;
/** Deflate shrinks by a factor of 1,032 at most: bounds what one read can become. */
const COMPRESSED_BLOCK_BYTES = 16 * 1024;
const NEWLINE = 10;

/**
 * The lines of a file (`.gz` is unpacked), in blocks, without their ends. Every line is yielded, blank ones too; of one
 * longer than 1 MiB the first 64 KiB and `…`. Bytes that are no text become U+FFFD. Memory is bounded.
 *
 * @param tooLong called for each line that was cut
 * @param encoding of a file without the mark of UTF-16; null for UTF-8
 * @throws SourceError `bad_file` when the file cannot be opened, read or unpacked. What came before has been yielded: every
 *   whole line of a gzip file that ends too early, all but the last few kB of one that is damaged inside
 */
export async function* linesOf(
  path: string,
  tooLong: () => void,
  encoding: Encoding | null = null,
): AsyncGenerator<string[]> {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const bytes = asUtf8(bytesOf(path), encoding);
  let rest: Uint8Array = new Uint8Array(0);
  let cut = false; // inside a line that is too long
  let first = true;
  const split = (whole: Uint8Array): string[] => {
    let text = decoder.decode(whole);
    if (first && text.startsWith("\uFEFF")) text = text.slice(1);
    first = false;
    const lines = text.split("\n");
    for (const [index, line] of lines.entries()) if (line.endsWith("\r")) lines[index] = line.slice(0, -1);
    return lines;
  };
  for await (const block of bytes) {
    let start = 0;
    const end = block.indexOf(NEWLINE);
    if (end !== -1 && (cut || rest.length + end > LINE_MAX)) {
      if (!cut) tooLong();
      yield split(rest.subarray(0, LINE_KEPT)).map((line) => line + CUT_MARK);
      cut = false;
      rest = new Uint8Array(0);
      start = end + 1;
    }
    const last = block.lastIndexOf(NEWLINE);
    if (last >= start) {
      yield split(joined(rest, block.subarray(start, last)));
      rest = block.slice(last + 1); // a copy: the block is the reader's to write over
    } else if (!cut) {
      rest = joined(rest, block.subarray(start));
    }
    if (!cut && rest.length > LINE_MAX) {
      cut = true;
      tooLong();
      rest = rest.slice(0, LINE_KEPT);
    }
  }
  if (rest.length > 0) yield split(rest).map((line) => (cut ? line + CUT_MARK : line));
}

/** The content of a file (`.gz` is unpacked). A block is valid until the next one is asked for. @throws as {@link linesOf} */
export function bytesOf(path: string): AsyncGenerator<Uint8Array> {
  return path.endsWith(".gz") ? unpacked(path) : blocksOf(path, BLOCK_BYTES);
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

/** The file's bytes. A block is valid until the next one is asked for. */
async function* blocksOf(path: string, size: number): AsyncGenerator<Uint8Array> {
  let file: FileHandle | undefined;
  try {
    file = await open(path);
    const buffer = new Uint8Array(size);
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, size);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } catch (cause) {
    const reason = codeOf(cause) === "ENOENT" ? "there is no such file" : messageOf(cause);
    throw new SourceError("bad_file", `Cannot read the recording ${path}: ${reason}`, { cause });
  } finally {
    await file?.close();
  }
}

/**
 * A gzip file's content. Then a fault is thrown: where the file ends too early after everything before, where it is damaged
 * after all but the last few kB before.
 */
async function* unpacked(path: string): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip();
  const ready: Uint8Array[] = [];
  let fault: unknown;
  let done = false;
  let wake = () => {};
  gunzip.on("data", (block: Uint8Array) => ready.push(block));
  gunzip.on("end", () => {
    done = true; // also before the file's end, when zeros fill it up: then no write is answered any more
    wake();
  });
  gunzip.on("error", (error) => {
    fault ??= error;
    wake();
  });
  const awake = (act: () => void) =>
    new Promise<void>((resolve) => {
      wake = resolve;
      act();
    });
  try {
    for await (const block of blocksOf(path, COMPRESSED_BLOCK_BYTES)) {
      await awake(() => gunzip.write(block.slice(), () => wake()));
      yield* ready.splice(0);
      if (fault !== undefined || done) break;
    }
    if (fault === undefined && !done) await awake(() => gunzip.end());
    yield* ready.splice(0);
  } finally {
    gunzip.destroy();
  }
  if (fault !== undefined)
    throw new SourceError(
      "bad_file",
      `Cannot unpack the recording ${path}: ${messageOf(fault)}, wanted a whole gzip file`,
      { cause: fault, hint: "The lines before that point were read. Fetch the file again." },
    );
}
