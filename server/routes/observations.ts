import { Elysia } from "elysia";
import { RequestError } from "../../core/errors.ts";
import { FLAG_COLUMNS } from "../../core/quality.ts";
import { DAY_MS, formatTimestamp, parseTimestamp } from "../../core/time.ts";
import { OBSERVATION_COLUMNS } from "../../spark/engine.ts";
import { answerRows } from "../answer.ts";
import type { WebContext } from "../context.ts";
import { type Cursor, decodeCursor, encodeCursor } from "../cursor.ts";
import { type Cells, chooseFormat, type Column } from "../formats.ts";
import { Parameters, badParameter } from "../parameters.ts";

const COLUMNS: readonly Column[] = [
  ...OBSERVATION_COLUMNS,
  ...FLAG_COLUMNS.map((name) => [name, "int"] as const),
];
const LIMIT = { min: 1, max: 10_000, fallback: 1_000 };

/**
 * Rows of the lake with their quality flags, in time order. Without `from` and `to`: the 24 h up to the newest observation known, so that the
 * question has an answer also where collecting stopped long ago. `to` is exclusive; with `from` alone it is now.
 */
export function observationRoutes(context: WebContext) {
  const { services } = context;
  return new Elysia().get("/observations", async ({ request }) => {
    const parameters = new Parameters(request, ["city", "from", "to", "limit", "cursor", "format"]);
    const format = chooseFormat(parameters, request);
    const limit = parameters.integer("limit", LIMIT);
    const query = windowOf(parameters, context);
    const { rows, more } = await services.observations({ ...query, limit, signal: request.signal });
    const last = rows.at(-1);
    const next =
      more && last !== undefined
        ? encodeCursor({
            ...query,
            after: { timestamp: last.timestamp, city: last.city, source: last.source },
          })
        : null;
    const path =
      next === null
        ? null
        : `/api/v1/observations?${new URLSearchParams({
            ...(parameters.text("limit") === null ? {} : { limit: String(limit) }),
            ...(parameters.text("format") === null ? {} : { format }),
            cursor: next,
          })}`;
    return answerRows(
      context,
      request,
      format,
      {
        columns: COLUMNS,
        rows: rows as unknown as Cells[],
        extra: {
          city: query.city,
          from: formatTimestamp(query.from),
          to: formatTimestamp(query.to),
          next_cursor: next,
          next: path,
        },
      },
      path === null ? {} : { link: `<${path}>; rel="next"` },
    );
  });
}

/** Which rows are asked for: the cursor's question, or the parameters'. */
function windowOf(parameters: Parameters, { services, clock }: WebContext): Cursor {
  const city = parameters.city("city", services.cities())?.name ?? null;
  const from = parameters.time("from");
  const to = parameters.time("to");
  const cursor = parameters.text("cursor");
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
  // A question with a beginning only is about everything since, be it nothing.
  const end = to ?? (from === null ? newest : Math.max(newest, clock.now(), from + 1));
  const begin = from ?? end - DAY_MS;
  if (begin >= end) {
    throw badParameter("from", parameters.text("from"), `a time before to (${formatTimestamp(end)})`);
  }
  return { city, from: begin, to: end, after: null };
}

/** Just after the newest observation, so that an exclusive end takes it in. */
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
