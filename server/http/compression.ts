import { finished } from "node:stream/promises";
import { promisify } from "node:util";
import { brotliCompress, constants, createBrotliCompress, createGzip, gzip } from "node:zlib";
import { streamOf } from "../formats/byte-stream.ts";
import type { Coding } from "./negotiation.ts";

/** What a body is worth: `quick` where it is made for one answer, `page` for HTML, `kept` where it is compressed once for many answers. */
export type Effort = "quick" | "page" | "kept";

/**
 * Levels, chosen by measurement: bytes, and ms of CPU.
 *
 * - `quick` and `kept`, of 1,000 made-up rows with flags in JSON (571 kB): gzip 1 gives 56 kB in 0.6 ms and brotli 1 33 kB in 0.6 ms;
 *   gzip 6 gives 34 kB in 4 ms and brotli 5 24 kB in 9 ms.
 * - `page`, of the first page (35.1 kB) in nine flushed pieces: gzip 3 gives 9.0 kB in 0.31 ms and brotli 2 8.7 kB in 0.30 ms. Less
 *   effort gives a third more (gzip 1 12.2 kB in 0.20 ms, brotli 1 11.8 kB in 0.27 ms), and more effort pays little (gzip 6
 *   8.8 kB in 0.41 ms, brotli 5 7.7 kB in 0.90 ms).
 */
const LEVELS: Readonly<Record<Effort, Readonly<Record<Coding, number>>>> = {
  quick: { br: 1, gzip: 1 },
  page: { br: 2, gzip: 3 },
  kept: { br: 5, gzip: 6 },
};

const gzipped = promisify(gzip);
const brotlied = promisify(brotliCompress);
const encoder = new TextEncoder();

/** A whole body, compressed. */
export function compress(bytes: Uint8Array, coding: Coding, effort: Effort): Promise<Uint8Array> {
  const level = LEVELS[effort][coding];
  if (coding === "gzip") return gzipped(bytes, { level });
  return brotlied(bytes, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: level,
      [constants.BROTLI_PARAM_SIZE_HINT]: bytes.byteLength,
    },
  });
}

/**
 * A page that comes in pieces, each sent at once: what is compressed is flushed after every piece, so that the client shows it
 * while the next one is made. A piece is taken when the client has read the one before. One that fails breaks the body off,
 * and nobody takes it for a whole page. When the client goes away, nothing more is compressed and `pieces` is returned from.
 *
 * @param coding null to send the pieces as they are
 */
export function streamPieces(
  pieces: AsyncGenerator<string, void>,
  coding: Coding | null,
): ReadableStream<Uint8Array> {
  return streamOf(coding === null ? encoded(pieces) : compressed(pieces, coding));
}

async function* encoded(pieces: AsyncIterable<string>): AsyncGenerator<Uint8Array, void> {
  for await (const piece of pieces) yield encoder.encode(piece);
}

/** Uses `node:zlib`, because a `CompressionStream` cannot flush. */
async function* compressed(pieces: AsyncIterable<string>, coding: Coding): AsyncGenerator<Uint8Array, void> {
  const level = LEVELS.page[coding];
  const compressor =
    coding === "gzip"
      ? createGzip({ level, flush: constants.Z_SYNC_FLUSH })
      : createBrotliCompress({
          flush: constants.BROTLI_OPERATION_FLUSH,
          params: { [constants.BROTLI_PARAM_QUALITY]: level },
        });
  const ready: Uint8Array[] = [];
  compressor.on("data", (bytes: Uint8Array) => ready.push(bytes));
  const whole = finished(compressor);
  // The write that fails tells of it as well; and a client that has gone is no failure.
  whole.catch(() => {});
  try {
    for await (const piece of pieces) {
      await new Promise<void>((resolve, reject) => {
        compressor.write(piece, (error) => (error ? reject(error) : resolve()));
      });
      yield* ready.splice(0);
    }
    compressor.end();
    await whole;
    yield* ready;
  } finally {
    compressor.destroy();
  }
}
