import { type WebContext, labelOf } from "./context.ts";
import { CONTENT_TYPES, type Cells, type Column, type Format, arrowOf, csvOf } from "../formats/formats.ts";
import { streamPieces } from "./compression.ts";
import { chooseCoding } from "./negotiation.ts";
import { Payload } from "./payload.ts";
import { unitsOf } from "../formats/column-units.ts";

/** Headers of a body in `format`. */
export function headersOf(context: Pick<WebContext, "services">, format: Format): Record<string, string> {
  const { dataset, kind } = context.services.about;
  return {
    "content-type": CONTENT_TYPES[format],
    "cache-control": "no-store",
    vary: "accept, accept-encoding, origin",
    // CSV and Arrow have no place of their own for what JSON says inside.
    "x-isobar-dataset": encodeURIComponent(dataset),
    "x-isobar-kind": kind,
  };
}

/** Answers with an object as JSON, labelled. */
export function answerJson(
  context: Pick<WebContext, "services" | "clock">,
  request: Request,
  body: object,
  options: { status?: number; headers?: Record<string, string> } = {},
): Promise<Response> {
  const text = JSON.stringify({ ...labelOf(context), ...body });
  const payload = new Payload(text, { effort: "quick", content: () => withoutTime(text) });
  return payload.respond(request, {
    ...options,
    headers: { ...headersOf(context, "json"), ...options.headers },
  });
}

/** Rows to answer with. */
export interface RowSet {
  columns: readonly Column[];
  rows: readonly Cells[];
  /** More of the JSON object, before `rows`. */
  extra?: object;
}

/** Rows as the body of an answer in `format`. */
export function payloadOf(context: WebContext, format: Format, { columns, rows, extra }: RowSet): Payload {
  const label = labelOf(context);
  switch (format) {
    case "json": {
      const units = unitsOf(columns.map(([name]) => name));
      const said = Object.keys(units).length === 0 ? {} : { units };
      const text = JSON.stringify({ ...label, ...said, ...extra, rows });
      return new Payload(text, { effort: "quick", content: () => withoutTime(text) });
    }
    case "csv": {
      const text = csvOf(columns, rows);
      return new Payload(text, { effort: "quick", content: () => text });
    }
    case "arrow":
      // The time it was made at is inside: it is never the same.
      return new Payload(arrowOf(columns, rows, { ...label }), { effort: null });
  }
}

/** A labelled JSON object without its first key, `generated_at`. */
function withoutTime(text: string): string {
  return text.slice(text.indexOf(","));
}

/** Answers with rows in `format`. */
export function answerRows(
  context: WebContext,
  request: Request,
  format: Format,
  rows: RowSet,
  headers: Record<string, string> = {},
): Promise<Response> {
  return payloadOf(context, format, rows).respond(request, {
    headers: { ...headersOf(context, format), ...headers },
  });
}

/** Headers of a page: it is as new as its data, and a cookie says in which units it is shown. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  "content-type": "text/html; charset=utf-8",
  "cache-control": "no-store",
  vary: "accept-encoding, cookie",
};

/**
 * Answers with HTML that is there as a whole. It may be compressed although it repeats what its address says (BREACH), because no
 * page holds a secret: no token, and of the cookies only which units and which cities a reader wants to see.
 */
export function answerPage(
  request: Request,
  html: string,
  options: { status?: number; headers?: Record<string, string> } = {},
): Promise<Response> {
  return new Payload(html, { effort: "page" }).respond(request, {
    ...options,
    headers: { ...PAGE_HEADERS, ...options.headers },
  });
}

/** As {@link answerPage}, with HTML whose pieces are sent as they are made: see {@link streamPieces}. */
export function answerPieces(
  request: Request,
  pieces: AsyncGenerator<string, void>,
  headers: Record<string, string> = {},
): Response {
  const coding = chooseCoding(request);
  return new Response(streamPieces(pieces, coding), {
    headers: { ...PAGE_HEADERS, ...headers, ...(coding === null ? {} : { "content-encoding": coding }) },
  });
}
