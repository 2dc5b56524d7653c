import { streamOf } from "./byte-stream.ts";
import { type Cells, type Column, arrowParts, csvLine, csvRows } from "./formats.ts";

const encoder = new TextEncoder();

/**
 * Rows as a body that is made page by page, as fast as it is read: never more than a page is held. A page that fails
 * breaks the body off, which the reader sees as an answer that is not complete.
 *
 * @param options.metadata of the Arrow schema
 */
export function rowStream(
  format: "csv" | "arrow",
  options: {
    columns: readonly Column[];
    metadata: Readonly<Record<string, string>>;
    pages: AsyncIterable<readonly Cells[]>;
  },
): ReadableStream<Uint8Array> {
  const { columns, metadata, pages } = options;
  const chunks = format === "csv" ? csvChunks(columns, pages) : arrowChunks(columns, metadata, pages);
  return streamOf(chunks);
}

async function* csvChunks(
  columns: readonly Column[],
  pages: AsyncIterable<readonly Cells[]>,
): AsyncGenerator<Uint8Array, void> {
  yield encoder.encode(csvLine(columns.map(([name]) => name)));
  for await (const rows of pages) yield encoder.encode(csvRows(columns, rows));
}

async function* arrowChunks(
  columns: readonly Column[],
  metadata: Readonly<Record<string, string>>,
  pages: AsyncIterable<readonly Cells[]>,
): AsyncGenerator<Uint8Array, void> {
  const { begin, batch, end } = arrowParts(columns, metadata);
  yield begin;
  for await (const rows of pages) yield batch(rows);
  yield end;
}
