import { type WebContext, labelOf } from "./context.ts";
import { CONTENT_TYPES, type Cells, type Column, type Format, arrowOf, csvOf } from "./formats.ts";
import { Payload } from "./payload.ts";
import { unitsOf } from "./units.ts";

/** Headers of a body in `format`. */
export function headersOf(context: Pick<WebContext, "services">, format: Format): Record<string, string> {
  const { dataset, kind } = context.services.about;
  return {
    "content-type": CONTENT_TYPES[format],
    "cache-control": "no-store",
    vary: "accept, accept-encoding",
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
  const payload = new Payload(JSON.stringify({ ...labelOf(context), ...body }), "json", { kept: false });
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
  const options = { kept: false };
  switch (format) {
    case "json": {
      const units = unitsOf(columns.map(([name]) => name));
      const said = Object.keys(units).length === 0 ? {} : { units };
      return new Payload(JSON.stringify({ ...label, ...said, ...extra, rows }), format, options);
    }
    case "csv":
      return new Payload(csvOf(columns, rows), format, options);
    case "arrow":
      return new Payload(arrowOf(columns, rows, { ...label }), format, options);
  }
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
