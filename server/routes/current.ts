import { Elysia } from "elysia";
import { FLAG_COLUMNS } from "../../core/quality.ts";
import { formatTimestamp, parseTimestamp } from "../../core/time.ts";
import { OBSERVATION_COLUMNS } from "../../spark/engine.ts";
import { answerRows, headersOf, payloadOf } from "../answer.ts";
import type { WebContext } from "../context.ts";
import { type Cells, type Column, type Format, chooseFormat } from "../formats.ts";
import { Parameters } from "../parameters.ts";
import type { Payload } from "../payload.ts";
import type { CurrentObservation } from "../services.ts";

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

const NOT_JUDGED = Object.fromEntries(FLAG_COLUMNS.map((name) => [name, null]));

/**
 * The newest observation of each city, with its age: old data is never shown as new; and with what the live judge says of
 * it: null until it has.
 */
export function currentRoutes(context: WebContext) {
  const { services, clock } = context;
  const { staleAfterSeconds } = services.about;
  const rowSet = (current: readonly CurrentObservation[]) => ({
    columns: COLUMNS,
    rows: current.map((one) => rowOf(one, clock.now(), staleAfterSeconds)),
    extra: { stale_after_seconds: staleAfterSeconds },
  });
  // An age in seconds is the same for a second: so long one answer serves all who ask for everything.
  let kept:
    { current: readonly CurrentObservation[]; second: number; payloads: Map<Format, Payload> } | undefined;
  return new Elysia().get("/current", ({ request }) => {
    const parameters = new Parameters(request, ["city", "format"]);
    const format = chooseFormat(parameters, request);
    const city = parameters.city("city", services.cities());
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
  // A station's clock may run ahead of ours; nothing is younger than new.
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
    anomalies: judgement === null ? null : judgement.anomalies.map(({ kind }) => kind).join(" "),
  };
}
