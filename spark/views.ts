import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { City } from "../core/city.ts";
import type { SqlView } from "./engine.ts";
import { valuesView } from "./values.ts";

/** The views in `spark/views/`, in the order they read each other. */
const TEXTS: readonly string[] = [];

/** What is known of the places beside their observations. */
export interface PlaceFacts {
  cities: readonly City[];
}

/**
 * The views that jobs read beside `observations`:
 *
 * - `cities`: city, latitude, longitude, elevation (m or null), zone.
 *
 * @throws when a view's text cannot be read
 */
export async function analysisViews({ cities }: PlaceFacts): Promise<SqlView[]> {
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
  ];
  for (const name of TEXTS) {
    views.push({ name, sql: await readFile(join(import.meta.dir, "views", `${name}.sql`), "utf8") });
  }
  return views;
}
