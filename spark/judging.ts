import { createHash } from "node:crypto";
import { FLAG_COLUMNS } from "../core/quality.ts";
import { DAY_MS, HOUR_MS } from "../core/time.ts";
import { OBSERVATION_COLUMNS, type SqlView } from "./engine.ts";
import { neededViews } from "./needed-views.ts";

/** How much of the past the flags of a report depend on, ms: a day, which is the longest test, and an hour. */
export const JUDGED_PAST_MS = 25 * HOUR_MS;
/** How long after a report another may come that its flags depend on, ms: the next one, within the usual delay of a source. */
export const JUDGED_AFTER_MS = 3 * HOUR_MS;
/** How far before a day the pressures lie that its reports are compared with, ms: 29 days, and those of the day before it. */
export const LEVEL_PAST_MS = 31 * DAY_MS;

/** How flags are made. */
export interface Judging {
  /** The views up to `quality`. */
  views: readonly SqlView[];
  /** Which judging that is: 16 hex digits of the SHA-256 of the limits and of the text of every view up to `quality`. */
  version: string;
  /** What was known of places then: 8 hex digits of the SHA-256 of it. It is in force as it was; a new city takes no flag back. */
  places: string;
}

/** Views of what is known of places. */
const PLACES = new Set(["cities", "stations", "zones"]);

/** How flags are made by some views of analysis. */
export function judgingBy(views: readonly SqlView[]): Judging {
  const needed = neededViews("SELECT * FROM quality", views);
  const [texts, places] = [false, true].map((isPlace) =>
    needed.filter(({ name }) => PLACES.has(name) === isPlace).map(({ name, sql }) => [name, sql]),
  );
  return { views: needed, version: checksum([texts, FLAG_COLUMNS], 16), places: checksum(places, 8) };
}

/** What a file with flags says of the judging that made them. */
export function judgingMark({ version, places }: Pick<Judging, "version" | "places">): string {
  return `${version}-${places}`;
}

/** Whether flags are of a judging, whatever was known of places then. */
export function isJudgedBy(mark: string | undefined, version: string): boolean {
  return mark?.startsWith(`${version}-`) === true;
}

function checksum(value: unknown, digits: number): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, digits);
}

const COLUMNS = [...OBSERVATION_COLUMNS.map(([name]) => name), ...FLAG_COLUMNS].join(", ");
const KEPT: SqlView = { name: "quality", sql: `SELECT ${COLUMNS} FROM judged` };

/** Views that nothing but `quality` reads; one of them is beyond Spark. */
const STEPS = new Set([
  "levels",
  "quality_bounds",
  "quality_places",
  "crowded",
  "neighbours",
  "quality_alone",
]);

/** The views with the kept flags in the place of those that would be computed: `quality` reads `judged`. */
export function overVerdicts(views: readonly SqlView[]): SqlView[] {
  return views.filter(({ name }) => !STEPS.has(name)).map((view) => (view.name === KEPT.name ? KEPT : view));
}
