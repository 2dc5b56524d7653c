import { type Flags, QUALITY_TESTS, FLAG_COLUMNS, type Limit } from "../../core/quality.ts";
import type { Provenance } from "../../jobs/readers/provenance.ts";
import { readLimits } from "../../spark/limits.ts";
import type { Place } from "../../core/city.ts";
import type { Services } from "./services.ts";
import type { Explanation, Stored } from "../../core/explanation.ts";

/** Largest number of rows for one city and time. */
const SOURCES_MAX = 1_000;

let limitsRead: Promise<Limit[]> | undefined;

/**
 * Explains an observation, for each source that reported for the city at that time: its origin, the flag of each quality test
 * with the limits used, its other revisions, and the results computed with it. Empty if none is committed.
 *
 * @throws EngineError, CommitError, LakeError
 */
export async function explain(
  services: Services,
  city: Place,
  { timestamp, source, signal }: { timestamp: number; source: string | null; signal: AbortSignal },
): Promise<Explanation[]> {
  const [limits, found, { rows }] = await Promise.all([
    (limitsRead ??= readLimits()),
    services.why({ city: city.name, timestamp, source, signal }),
    services.observations({
      city: city.name,
      from: timestamp,
      to: timestamp + 1,
      limit: SOURCES_MAX,
      after: null,
      signal,
    }),
  ]);
  const here = limitsAt(limits, city.latitude, timestamp);
  const unjudged = Object.fromEntries(FLAG_COLUMNS.map((name) => [name, null])) as {
    [Name in keyof Flags]: null;
  };
  return found.map(({ newest, others, results }) => {
    const flags = rows.find((row) => row.source === newest.row.source);
    const tests = QUALITY_TESTS.map((test) => ({
      test,
      flag: flags?.[test] ?? null,
      limits: here.filter((limit) => `q_${limit.test}` === test),
    }));
    return {
      observation: { ...unjudged, ...flags, ...newest.row },
      ...stored(newest),
      tests,
      revisions: others.map((one) => ({ observation: one.row, ...stored(one) })),
      results,
    };
  });
}

function stored({ row, topic, partition, file, commit, retraction }: Provenance): Stored {
  const record = { topic, partition, offset: row.log_offset, ingested_at: row.ingested_at };
  return { record, file, commit, retraction };
}

/** The limits for a latitude and time, chosen as in `spark/views/quality_places.sql`; all limits if the latitude is unknown. */
function limitsAt(limits: readonly Limit[], latitude: number | null, ms: number): Limit[] {
  if (latitude === null) return [...limits];
  const month = new Date(ms).getUTCMonth() + 1;
  const isSummer = latitude >= 0 === (month >= 4 && month <= 9);
  const band = Math.abs(latitude) <= 45 ? "low" : "high";
  return limits.filter(
    (limit) =>
      (limit.latitude === null || limit.latitude === band) &&
      (limit.season === null || limit.season === (isSummer ? "summer" : "winter")),
  );
}
