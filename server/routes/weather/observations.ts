import { Elysia } from "elysia";
import { RequestError } from "../../../core/errors.ts";
import { FLAG_COLUMNS } from "../../../core/quality.ts";
import { DAY_MS, formatTimestamp, parseTimestamp } from "../../../core/time.ts";
import { OBSERVATION_COLUMNS } from "../../../spark/engine.ts";
import type { FlaggedRow } from "../../../jobs/readers/lake-queries.ts";
import { answerRows, headersOf, payloadOf } from "../../http/answer.ts";
import { rowSchema, rowsSchema } from "../../api/columns.ts";
import { EXAMPLE_LABEL, EXAMPLE_OBSERVATION, rowsContent } from "../../api/content.ts";
import { type Values, endpoint, readQuery } from "../../api/endpoint.ts";
import {
  FORMAT_PARAMETER,
  cityParameter,
  integerParameter,
  textParameter,
  timeParameter,
} from "../../api/parameter.ts";
import { boolean, nullable, text, time } from "../../api/schema.ts";
import { type WebContext, labelOf } from "../../http/context.ts";
import {
  type Cursor,
  POSITIONS_MAX,
  decodeCursor,
  decodePositions,
  encodeCursor,
  encodePositions,
} from "../../http/cursor.ts";
import type { Cells, Column, Format } from "../../formats/formats.ts";
import { badParameter } from "../../http/parameters.ts";
import { chooseCoding } from "../../http/negotiation.ts";
import { rowStream } from "../../formats/row-stream.ts";
import { type RowAnswer, RowAnswers } from "./row-answers.ts";
import { unitsOf } from "../../formats/column-units.ts";

/** Columns of a row of the lake with its flags. */
export const FLAGGED_COLUMNS: readonly Column[] = [
  ...OBSERVATION_COLUMNS,
  ...FLAG_COLUMNS.map((name) => [name, "int"] as const),
];
const NOT_JUDGED = Object.fromEntries(FLAG_COLUMNS.map((name) => [name, null]));
/** Rows read at once, and the limit of a JSON answer. */
const PAGE = 10_000;
/** Number of rows that can be asked for. CSV and Arrow are read and sent page by page. */
const LIMIT = { min: 1, max: 10_000_000, fallback: 1_000 };

/** Rows of the lake. */
export const GET_OBSERVATIONS = endpoint({
  method: "GET",
  path: "/api/v1/observations",
  id: "getObservations",
  tag: "weather",
  summary: "Observations with their quality flags, in time order",
  description:
    "Without `from` and `to`: the 24 h up to the newest observation known. With `from` alone: up to now; with `to` alone: the 24 h before. Rows are in the order of timestamp, city and source; of an observation that was revised the newest revision. [Why](#get-apiv1observationswhy) a value is there tells `/api/v1/observations/why`. Where more rows follow, `next` in JSON and the header `Link` lead on.\n\nWith `since` it is a feed to pull: every row that is committed comes once, a revision as a row of its own that replaces the one of the same source, city and timestamp. The flags are null there, because later reports may still change them.",
  query: {
    city: cityParameter("One city only."),
    from: timeParameter("From this time on.", "2026-01-31T00:00:00Z"),
    to: timeParameter("Up to this time, itself not included.", "2026-02-01T00:00:00Z"),
    limit: integerParameter(
      `Most rows. In JSON up to ${PAGE}; more are sent as CSV or Arrow while they are read, without \`Link\`.`,
      LIMIT,
    ),
    cursor: textParameter(
      "The `next_cursor` of an answer before: goes on where that one ended.",
      encodeCursor({
        city: "London",
        from: Date.UTC(2026, 0, 31),
        to: Date.UTC(2026, 1, 1),
        after: {
          timestamp: EXAMPLE_OBSERVATION.timestamp,
          city: "London",
          source: EXAMPLE_OBSERVATION.source,
        },
      }),
    ),
    since: textParameter(
      "Instead of `from`, `to` and `cursor`: what was stored since the last pull, in the order of the log. `begin` for all, `now` for what is to come, then the `next_since` of the answer before.",
      "begin",
      { type: "string", minLength: 1, maxLength: POSITIONS_MAX },
    ),
    format: FORMAT_PARAMETER,
  },
  answers: [
    {
      status: 200,
      description: "The rows",
      content: rowsContent(
        rowsSchema(
          rowSchema(FLAGGED_COLUMNS, { unjudged: true }),
          {
            city: nullable(text("City that was asked for")),
            from: nullable(time("Beginning of the time that was asked for; null with `since`")),
            to: nullable(time("Its end, not included; null with `since`")),
            next_cursor: nullable(
              text("Cursor of the next rows; null when there are none, and with `since`"),
            ),
            next: nullable(
              text("Path of the next rows; null when there are none. With `since` always there"),
            ),
            next_since: text("With `since` only: where the next pull begins"),
            more: boolean("With `since` only: whether more rows are there already"),
          },
          ["next_since", "more"],
        ),
      ),
      example: {
        ...EXAMPLE_LABEL,
        units: unitsOf(FLAGGED_COLUMNS.map(([name]) => name)),
        city: "London",
        from: "2026-01-31T00:00:00Z",
        to: "2026-02-01T00:00:00Z",
        next_cursor: null,
        next: null,
        rows: [
          {
            ...EXAMPLE_OBSERVATION,
            log_offset: 4711,
            ingested_at: "2026-01-31T11:51:02Z",
            ...Object.fromEntries(FLAG_COLUMNS.map((name) => [name, 1])),
          },
        ],
      },
      headers: { link: 'Path of the next rows with `rel="next"`, where more follow' },
    },
  ],
  errors: ["not_acceptable", "not_found"],
  examples: [
    { title: "The last 24 h of a city", path: "/api/v1/observations?city=london&limit=5" },
    {
      title: "A day as CSV",
      path: "/api/v1/observations?from=2026-01-31T00:00:00Z&to=2026-02-01T00:00:00Z&format=csv",
    },
    {
      title: "What was stored since the last pull; `next` is the path of the next one",
      path: "/api/v1/observations?since=begin&limit=5",
    },
    {
      title: "Everything since a day as CSV, in one answer",
      path: "/api/v1/observations?from=2026-01-31T00:00:00Z&limit=1000000&format=csv",
    },
    {
      title: "As Arrow, by content negotiation",
      path: "/api/v1/observations",
      headers: { accept: "application/vnd.apache.arrow.stream" },
    },
  ],
});

/**
 * Rows of the lake with their quality flags, in time order. Without `from` and `to` it is the 24 h up to the newest
 * observation, so that there are rows even if collecting stopped long ago. `to` is exclusive; with `from` alone it is now.
 */
export function observationRoutes(context: WebContext) {
  const { services } = context;
  const answers = new RowAnswers();
  return new Elysia().get(GET_OBSERVATIONS.path, async ({ request }) => {
    const asked = readQuery(GET_OBSERVATIONS, request, services);
    const { limit, format } = asked;
    if (asked.since !== null) return answerArrivals(context, request, { ...asked, since: asked.since });
    const query = windowOf(asked, context);
    if (limit > PAGE) {
      if (format === "json")
        throw badParameter("limit", limit, `at most ${PAGE} in JSON; CSV and Arrow take more`);
      return streamRows(context, request, { ...asked, format }, query);
    }
    const make = (signal: AbortSignal) => answerOf(context, request, { ...asked, format }, query, signal);
    const mark = await services.rowsMark(query);
    const { payload, headers } =
      mark === null
        ? await make(request.signal)
        : await answers.of(
            JSON.stringify([new URL(request.url).search, format, query, limit]),
            mark,
            request.signal,
            make,
          );
    return payload.respond(request, { headers: { ...headersOf(context, format), ...headers } });
  });
}

/** A page of rows as a whole. */
async function answerOf(
  context: WebContext,
  request: Request,
  { limit, format }: { limit: number; format: Format },
  query: Cursor,
  signal: AbortSignal,
): Promise<RowAnswer> {
  const { rows, more } = await context.services.observations({ ...query, limit, signal });
  const next = more ? encodeCursor({ ...query, after: afterOf(rows) }) : null;
  const path = next === null ? null : nextPath(request, { cursor: next });
  const payload = payloadOf(context, format, {
    columns: FLAGGED_COLUMNS,
    rows: rows as unknown as Cells[],
    extra: {
      city: query.city,
      from: formatTimestamp(query.from),
      to: formatTimestamp(query.to),
      next_cursor: next,
      next: path,
    },
  });
  return { payload, headers: path === null ? {} : { link: `<${path}>; rel="next"` } };
}

/** Rows stored since a position. The answer always has a `next` for the next poll. */
async function answerArrivals(
  context: WebContext,
  request: Request,
  asked: Values<typeof GET_OBSERVATIONS> & { since: string },
): Promise<Response> {
  for (const name of ["from", "to", "cursor"] as const) {
    if (asked[name] !== null) {
      throw new RequestError(
        "bad_parameter",
        `The parameter ${name} is given with since, wanted one of them`,
      );
    }
  }
  const since = decodePositions(asked.since);
  const city = asked.city?.name ?? null;
  const { limit, format } = asked;
  if (limit > PAGE) throw badParameter("limit", limit, `at most ${PAGE} with since`);
  const found = await context.services.arrivals({ since, city, limit, signal: request.signal });
  const next = encodePositions(found.next);
  const path = nextPath(request, { since: next, ...(asked.city === null ? {} : { city: asked.city.name }) });
  const extra = {
    city,
    from: null,
    to: null,
    next_cursor: null,
    next: path,
    next_since: next,
    more: found.more,
  };
  const rows = found.rows.map((row) => ({ ...row, ...NOT_JUDGED })) as unknown as Cells[];
  return answerRows(
    context,
    request,
    format,
    { columns: FLAGGED_COLUMNS, rows, extra },
    { link: `<${path}>; rel="next"` },
  );
}

/** Streams rows while they are read. The first page is read before the headers are sent, so that an error has its status. */
async function streamRows(
  context: WebContext,
  request: Request,
  { format, limit }: { format: "csv" | "arrow"; limit: number },
  query: Cursor,
): Promise<Response> {
  const { services } = context;
  const read = (after: Cursor["after"], left: number) =>
    services.observations({ ...query, after, limit: Math.min(left, PAGE), signal: request.signal });
  const first = await read(query.after, limit);
  async function* pages() {
    let page = first;
    for (let left = limit; ; page = await read(afterOf(page.rows), left)) {
      yield page.rows as unknown as Cells[];
      left -= page.rows.length;
      if (!page.more || left === 0) return;
    }
  }
  const body = rowStream(format, {
    columns: FLAGGED_COLUMNS,
    metadata: { ...labelOf(context) },
    pages: pages(),
  });
  const headers = headersOf(context, format);
  const coding = chooseCoding(request, { offered: ["gzip"], pays: format !== "arrow" });
  if (coding === null) return new Response(body, { headers });
  // Bun's types of CompressionStream do not match those of a byte stream; at run time both are Uint8Array.
  const gzip = new CompressionStream("gzip") as unknown as ReadableWritablePair<Uint8Array, Uint8Array>;
  return new Response(body.pipeThrough(gzip), {
    headers: { ...headers, "content-encoding": coding },
  });
}

/** The cursor position after these rows. */
function afterOf(rows: readonly FlaggedRow[]): Cursor["after"] {
  const last = rows.at(-1);
  return last === undefined ? null : { timestamp: last.timestamp, city: last.city, source: last.source };
}

/** Path of the next page. The cursor holds the query but not the format and units, which are copied from the request. */
function nextPath(request: Request, cursor: Record<string, string>): string {
  const asked = new URL(request.url).searchParams;
  const next = new URLSearchParams();
  for (const name of ["limit", "format"]) {
    const value = asked.get(name);
    if (value !== null) next.set(name, value);
  }
  for (const [name, value] of Object.entries(cursor)) next.set(name, value);
  return `${GET_OBSERVATIONS.path}?${next}`;
}

/** The query of a request: from the cursor, or from the parameters. */
function windowOf(asked: Values<typeof GET_OBSERVATIONS>, { services, clock }: WebContext): Cursor {
  const { from, to, cursor } = asked;
  const city = asked.city?.name ?? null;
  if (cursor !== null) {
    const question = decodeCursor(cursor);
    if (
      (city !== null && city !== question.city) ||
      (from !== null && from !== question.from) ||
      (to !== null && to !== question.to)
    ) {
      throw new RequestError("bad_parameter", "The parameter cursor belongs to another city, from or to", {
        hint: "Give the cursor with the same parameters, or alone.",
      });
    }
    return question;
  }
  const newest = newestOf(city, services.current()) ?? clock.now();
  // With `from` only, the end is now, and the answer may be empty.
  const end = to ?? (from === null ? newest : Math.max(newest, clock.now(), from + 1));
  const begin = from ?? end - DAY_MS;
  if (begin >= end) {
    throw badParameter(
      "from",
      from === null ? null : formatTimestamp(from),
      `a time before to (${formatTimestamp(end)})`,
    );
  }
  return { city, from: begin, to: end, after: null };
}

/** Just after the newest observation, so that an exclusive end includes it. */
function newestOf(
  city: string | null,
  current: ReturnType<WebContext["services"]["current"]>,
): number | undefined {
  let newest = -Infinity;
  for (const { observation } of current) {
    if (city === null || observation.city === city)
      newest = Math.max(newest, parseTimestamp(observation.timestamp));
  }
  return newest === -Infinity ? undefined : newest + 1;
}
