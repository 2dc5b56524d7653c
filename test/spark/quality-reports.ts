import type { City } from "../../core/city.ts";
import type { Row } from "../../core/observation.ts";
import type { Station } from "../../core/station.ts";
import { DAY_MS, formatTimestamp } from "../../core/time.ts";
import type { SqlView } from "../../spark/engine.ts";
import { valuesView } from "../../spark/values.ts";
import { sqlRunner } from "./jobs.ts";
import { row, START } from "../support/lake-files.ts";

const place = (name: string, latitude: number): City => ({
  name,
  slug: name.toLowerCase(),
  latitude,
  longitude: 0,
  zone: "UTC",
});
/** On both sides of the equator and of 45°. */
const CITIES = [place("Madrid", 45), place("Oslo", 45.1), place("Sydney", -33.9), place("Ushuaia", -54.8)];
const stood = (from: string, elevation: number) => ({
  from,
  latitude: 45,
  longitude: 0,
  elevation,
  sensor: null,
});
/** One that moved up a hill, and one that did not. */
const STATIONS: readonly Station[] = [
  {
    id: "hill",
    city: "Madrid",
    periods: [stood("2025-12-01T00:00:00Z", 0), stood("2026-01-02T00:00:00Z", 1000)],
  },
  { id: "valley", city: "Madrid", periods: [stood("2025-12-01T00:00:00Z", 0)] },
];

/** A report without any value. */
export const NOTHING = {
  temperature: null,
  humidity: null,
  pressure: null,
  wind_speed: null,
  rainfall: null,
};

/** Runs SQL over rows for the tests of the file that calls this, and reads one column of the view `quality`. */
export function qualityRunner() {
  const run = sqlRunner({ cities: CITIES, stations: STATIONS });
  return {
    run,
    /** In time order; of one source where there are several. */
    async flags(column: string, rows: readonly Row[], source?: string, kept?: readonly SqlView[]) {
      const found = await run(
        `SELECT source, ${column} AS f FROM quality ORDER BY timestamp, source`,
        rows,
        kept,
      );
      return found.filter((one) => source === undefined || one.source === source).map(({ f }) => f);
    },
  };
}

/** Reports one after the other. What is not given changes a little from one to the next, as air does. */
export function reports(changes: readonly Partial<Row>[], minutes = 60, base: Partial<Row> = {}): Row[] {
  return changes.map((change, i) => {
    const timestamp = change.timestamp ?? formatTimestamp(START + i * minutes * 60_000);
    return row({
      city: "Madrid",
      temperature: 10 + (i % 2) / 5,
      humidity: 60 + (i % 2),
      pressure: 1013 + (i % 2) / 5,
      log_offset: i,
      ...base,
      timestamp,
      ingested_at: timestamp,
      ...change,
    });
  });
}

/** Changes of one field. */
export function each<K extends keyof Row>(name: K, values: readonly Row[K][]): Partial<Row>[] {
  return values.map((value) => ({ [name]: value }) as Partial<Row>);
}

/** The same thing some times. */
export function repeat<T>(times: number, thing: T): T[] {
  return Array.from({ length: times }, () => thing);
}

/** A view `levels` with one level of a series on every day of {@link reports}. */
export function levelOf(city: string, source: string, pressure_level: number): SqlView {
  const first = Math.floor(START / DAY_MS) - 1;
  return levelsView(
    Array.from({ length: 90 }, (_, day) => ({ city, source, day: (first + day) * DAY_MS, pressure_level })),
  );
}

/** A view `levels` with given rows; days are ms since the epoch. */
export function levelsView(
  rows: readonly { city: string; source: string; day: number; pressure_level: number }[],
): SqlView {
  return valuesView(
    "levels",
    [
      ["city", "string"],
      ["source", "string"],
      ["day", "timestamp"],
      ["pressure_level", "double"],
    ],
    rows.map(({ city, source, day, pressure_level }) => [city, source, day, pressure_level]),
  );
}
