import { OBSERVATION_COLUMNS } from "./engine.ts";

/**
 * The columns that every file of rows has: those of the first version of the lake's format. They never change. What a file has
 * beside them, its description in the chain names, so that a program knows what it lacks and what it does not know of.
 */
export const FIRST_COLUMNS: ReadonlySet<string> = new Set([
  "timestamp",
  "city",
  "temperature",
  "humidity",
  "pressure",
  "wind_speed",
  "rainfall",
  "weather_main",
  "weather_description",
  "source",
  "wind_direction",
  "wind_gust",
  "dew_point",
  "clouds",
  "visibility",
  "log_offset",
  "ingested_at",
]);

/** Those of some columns that came after the first version of the format, in the order given. */
export function laterColumns<Name extends string>(names: readonly Name[]): Name[] {
  return names.filter((name) => !FIRST_COLUMNS.has(name));
}

const KNOWN: ReadonlySet<string> = new Set(OBSERVATION_COLUMNS.map(([name]) => name));

/** The later columns that this program knows: each Parquet file it writes has them. */
export const LATER_COLUMNS: readonly string[] = laterColumns([...KNOWN]);

/** The columns of some files that this program does not know: a newer one wrote them. */
export function unknownColumns(files: Iterable<{ columns?: readonly string[] }>): string[] {
  const unknown = new Set<string>();
  for (const { columns = [] } of files) for (const name of columns) if (!KNOWN.has(name)) unknown.add(name);
  return [...unknown];
}
