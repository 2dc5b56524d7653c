import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import type { City } from "../core/city.ts";
import { type Station, stationSource } from "../core/station.ts";
import { zonePeriods } from "../core/zone-offsets.ts";
import { parseTimestamp } from "../core/time.ts";
import type { SqlView } from "./engine.ts";
import { limitsView, readLimits } from "./limits.ts";
import { valuesView } from "./values.ts";
import { fillViewText } from "./view-text.ts";

/**
 * The texts of views, in the order they read each other; a view has its file's name. What follows from the table of variables
 * is filled in ({@link fillViewText}). `level.sql` and `baseline.sql` are jobs', so that the
 * live judge can have their kept results in their place.
 */
const TEXTS: readonly string[] = [
  "views/in_time.sql",
  "level.sql",
  "views/levels.sql",
  "views/quality_bounds.sql",
  "views/quality_places.sql",
  "views/crowded.sql",
  "views/neighbours.sql",
  "views/quality_alone.sql",
  "views/quality.sql",
  "views/city_hours.sql",
  "views/hourly_rain.sql",
  "views/thresholds.sql",
  "views/fading.sql",
  "views/watermark.sql",
  "baseline.sql",
  "views/measured.sql",
  "views/outages.sql",
  "views/anomaly.sql",
];

/** Years whose changes of clocks are known: those the time zone database vouches for, and as far as rules are computed. */
const ZONE_YEARS = { first: 1970, last: 2037 };
/** Times that both engines can hold and no observation can have, ms. */
const ALWAYS = { from: Date.UTC(1000, 0, 1), to: Date.UTC(9999, 0, 1) };

/** What is known of the places beside their observations. */
export interface PlaceFacts {
  cities: readonly City[];
  /** Own stations. Default: none. */
  stations?: readonly Station[];
}

/**
 * The views that jobs read beside `observations`:
 *
 * - `cities`: city, latitude, longitude, elevation (m or null), zone;
 * - `zones`: zone, valid_from, valid_to, offset_minutes: the periods of the cities' zones without a gap, what their clocks
 *   show minus UTC. The engines' own functions for zones differ;
 * - `stations`: source, city, valid_from, valid_to, latitude, longitude, elevation (m or null), sensor (text or null): where own
 *   stations stood, and when;
 * - `limits`: test, variable, latitude, season, hours, suspect_low, suspect_high, fail_low, fail_high: the limits of
 *   quality control, see `limits.csv`;
 * - those of TEXTS.
 *
 * @throws when a view's text cannot be read
 */
export async function analysisViews({ cities, stations = [] }: PlaceFacts): Promise<SqlView[]> {
  const views = [
    valuesView(
      "cities",
      [
        ["city", "string"],
        ["latitude", "double"],
        ["longitude", "double"],
        ["elevation", "double"],
        ["zone", "string"],
      ],
      cities.map(({ name, latitude, longitude, elevation, zone }) => [
        name,
        latitude,
        longitude,
        elevation ?? null,
        zone,
      ]),
    ),
    zonesView(cities),
    stationsView(stations),
    limitsView(await readLimits()),
  ];
  for (const file of TEXTS) {
    const text = await readFile(join(import.meta.dir, file), "utf8");
    views.push({ name: basename(file, ".sql"), sql: fillViewText(text) });
  }
  return views;
}

function zonesView(cities: readonly City[]): SqlView {
  const zones = [...new Set(cities.map(({ zone }) => zone))].sort();
  return valuesView(
    "zones",
    [
      ["zone", "string"],
      ["valid_from", "timestamp"],
      ["valid_to", "timestamp"],
      ["offset_minutes", "int"],
    ],
    zones
      .flatMap((zone) => zonePeriods(zone, ZONE_YEARS.first, ZONE_YEARS.last))
      .map(({ zone, from, to, offsetMinutes }) => [
        zone,
        Math.max(from, ALWAYS.from),
        Math.min(to, ALWAYS.to),
        offsetMinutes,
      ]),
  );
}

function stationsView(stations: readonly Station[]): SqlView {
  return valuesView(
    "stations",
    [
      ["source", "string"],
      ["city", "string"],
      ["valid_from", "timestamp"],
      ["valid_to", "timestamp"],
      ["latitude", "double"],
      ["longitude", "double"],
      ["elevation", "double"],
      ["sensor", "string"],
    ],
    stations.flatMap(({ id, city, periods }) =>
      periods.map(({ from, latitude, longitude, elevation, sensor }, index) => [
        stationSource(id),
        city,
        parseTimestamp(from),
        periods[index + 1] === undefined ? ALWAYS.to : parseTimestamp(periods[index + 1]!.from),
        latitude,
        longitude,
        elevation,
        sensor,
      ]),
    ),
  );
}
