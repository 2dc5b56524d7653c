import { Elysia } from "elysia";
import { FLAG_COLUMNS } from "../../../core/quality.ts";
import { formatTimestamp, parseTimestamp } from "../../../core/time.ts";
import { OBSERVATION_COLUMNS } from "../../../spark/engine.ts";
import { answerRows, headersOf, payloadOf } from "../../http/answer.ts";
import { rowSchema, rowsSchema } from "../../api/columns.ts";
import { EXAMPLE_LABEL, EXAMPLE_OBSERVATION, rowsContent } from "../../api/content.ts";
import { endpoint, readQuery } from "../../api/endpoint.ts";
import { FORMAT_PARAMETER, cityParameter } from "../../api/parameter.ts";
import { integer } from "../../api/schema.ts";
import type { WebContext } from "../../http/context.ts";
import type { Cells, Column, Format } from "../../formats/formats.ts";
import type { Payload } from "../../http/payload.ts";
import type { CurrentObservation } from "../../answers/services.ts";
import { unitsOf } from "../../formats/column-units.ts";

const COLUMNS: readonly Column[] = [
  ...OBSERVATION_COLUMNS,
  ["age_seconds", "double"],
  ["stale", "boolean"],
  ...FLAG_COLUMNS.map((name) => [name, "int"] as const),
  ["temperature_expected", "double"],
  ["temperature_lower", "double"],
  ["temperature_upper", "double"],
  ["anomalies", "string"],
];

/** The newest observation of each city. */
export const GET_CURRENT = endpoint({
  method: "GET",
  path: "/api/v1/current",
  id: "getCurrent",
  tag: "weather",
  summary: "The newest observation of each city",
  description:
    "With its age, the flags of quality control and the temperatures that are usual; those are null for the moment until the live judge has looked at it, and what is usual while its past is too short (`/api/v1/verdict` says until when). Ages count from now, also of a recording, of which everything is stale. Answered from memory.",
  query: { city: cityParameter("One city only."), format: FORMAT_PARAMETER },
  answers: [
    {
      status: 200,
      description: "A row for each city that has reported",
      content: rowsContent(
        rowsSchema(rowSchema(COLUMNS, { unjudged: true }), {
          stale_after_seconds: integer("Age from which a value counts as stale, s"),
        }),
      ),
      example: {
        ...EXAMPLE_LABEL,
        units: unitsOf(COLUMNS.map(([name]) => name)),
        stale_after_seconds: 2700,
        rows: [
          {
            ...EXAMPLE_OBSERVATION,
            log_offset: 4711,
            ingested_at: "2026-01-31T11:51:02Z",
            age_seconds: 600,
            stale: false,
            ...Object.fromEntries(FLAG_COLUMNS.map((name) => [name, 1])),
            temperature_expected: 6.1,
            temperature_lower: 1.2,
            temperature_upper: 11,
            anomalies: "",
          },
        ],
      },
    },
  ],
  errors: ["not_acceptable", "not_found"],
  examples: [
    { title: "Every city", path: "/api/v1/current" },
    { title: "One city as CSV", path: "/api/v1/current?city=london&format=csv" },
  ],
});

const NOT_JUDGED = Object.fromEntries(FLAG_COLUMNS.map((name) => [name, null]));

/**
 * The newest observation of each city with its age, so that old data is never taken for new, and with its judgement, which
 * is null until the live judge has judged it.
 */
export function currentRoutes(context: WebContext) {
  const { services, clock } = context;
  const { staleAfterSeconds } = services.about;
  const rowSet = (current: readonly CurrentObservation[]) => ({
    columns: COLUMNS,
    rows: current.map((one) => rowOf(one, clock.now(), staleAfterSeconds)),
    extra: { stale_after_seconds: staleAfterSeconds },
  });
  // Ages have a resolution of one second, so all requests for all cities share one answer for a second.
  let kept:
    { current: readonly CurrentObservation[]; second: number; payloads: Map<Format, Payload> } | undefined;
  return new Elysia().get(GET_CURRENT.path, ({ request }) => {
    const { city, format } = readQuery(GET_CURRENT, request, services);
    const current = services.current();
    if (city !== null) {
      const own = current.filter(({ observation }) => observation.city === city.name);
      return answerRows(context, request, format, rowSet(own));
    }
    const second = Math.floor(clock.now() / 1000);
    if (kept?.current !== current || kept.second !== second) kept = { current, second, payloads: new Map() };
    let payload = kept.payloads.get(format);
    if (payload === undefined) {
      payload = payloadOf(context, format, rowSet(current));
      kept.payloads.set(format, payload);
    }
    return payload.respond(request, { headers: headersOf(context, format) });
  });
}

function rowOf(
  { observation, offset, receivedMs, judgement }: CurrentObservation,
  nowMs: number,
  staleAfterSeconds: number,
): Cells {
  // A station's clock may run ahead of ours; an age is never negative.
  const age = Math.max(0, Math.round((nowMs - parseTimestamp(observation.timestamp)) / 1000));
  return {
    ...observation,
    log_offset: offset,
    ingested_at: formatTimestamp(receivedMs),
    age_seconds: age,
    stale: age > staleAfterSeconds,
    ...(judgement?.flags ?? NOT_JUDGED),
    temperature_expected: judgement?.usual?.expected ?? null,
    temperature_lower: judgement?.usual?.lower ?? null,
    temperature_upper: judgement?.usual?.upper ?? null,
    anomalies: anomaliesOf(judgement),
  };
}

/** The kinds of what is unusual; null where nothing was found and it could not be judged by season and hour. */
function anomaliesOf(judgement: CurrentObservation["judgement"]): string | null {
  if (judgement === null) return null;
  const { usual, anomalies } = judgement;
  if (anomalies.length === 0 && usual?.status === "insufficient data") return null;
  return anomalies.map(({ kind }) => kind).join(" ");
}
