import { normalName } from "./city-name.ts";
import { slugOf } from "./slug.ts";
import { describe } from "./observation.ts";

/** A place whose weather is collected. */
export interface City {
  /** Name, as shown and as in observations. */
  name: string;
  /** Name in URLs: lower-case ASCII letters, digits and hyphens. */
  slug: string;
  /** Degrees north. */
  latitude: number;
  /** Degrees east. */
  longitude: number;
  /** IANA time zone. */
  zone: string;
  /** Height above sea level, m; null or missing if unknown. */
  elevation?: number | null;
  /** ICAO id of the airport whose METAR reports are used for the city; null or missing if there is none. */
  metar?: string | null;
}

/** A place that is shown: a configured city, or a city that has reported, of which only the name is known. */
export interface Place {
  name: string;
  slug: string;
  latitude: number | null;
  longitude: number | null;
  zone: string | null;
}

/** The cities without a `CITIES_FILE`. */
export const DEFAULT_CITIES: readonly City[] = [
  {
    name: "New York",
    slug: "new-york",
    latitude: 40.7128,
    longitude: -74.006,
    zone: "America/New_York",
    elevation: 10,
    metar: "KNYC",
  },
  {
    name: "London",
    slug: "london",
    latitude: 51.5074,
    longitude: -0.1278,
    zone: "Europe/London",
    elevation: 11,
    metar: "EGLL",
  },
  {
    name: "Tokyo",
    slug: "tokyo",
    latitude: 35.6762,
    longitude: 139.6503,
    zone: "Asia/Tokyo",
    elevation: 40,
    metar: "RJTT",
  },
  {
    name: "Sydney",
    slug: "sydney",
    latitude: -33.8688,
    longitude: 151.2093,
    zone: "Australia/Sydney",
    elevation: 39,
    metar: "YSSY",
  },
  {
    name: "Dubai",
    slug: "dubai",
    latitude: 25.2048,
    longitude: 55.2708,
    zone: "Asia/Dubai",
    elevation: 5,
    metar: "OMDB",
  },
];

/** What may stand in an entry of `CITIES_FILE`. */
const FIELDS = new Set(["name", "latitude", "longitude", "zone", "elevation", "metar", "slug"]);

/**
 * Reads a list of cities. Names are put into their normal form ({@link normalName}); two that differ in case only are refused.
 *
 * @param input parsed JSON: `[{ "name", "latitude", "longitude", "zone", "elevation"?, "metar"?, "slug"? }]`; the slug
 *   must be {@link slugOf} of the name
 * @throws {TypeError} naming the city, the field, its value and what was wanted
 */
export function parseCities(input: unknown): City[] {
  if (!Array.isArray(input) || input.length === 0)
    throw new TypeError("wanted a JSON array of at least one city");
  const names = new Set<string>();
  return input.map((entry: unknown, index) => {
    const where = `city ${index + 1}`;
    if (typeof entry !== "object" || entry === null)
      throw new TypeError(`${where} is ${describe(entry)}, wanted an object`);
    const {
      name: given,
      latitude,
      longitude,
      zone,
      elevation = null,
      metar = null,
      slug,
    } = entry as Record<string, unknown>;
    const name = typeof given === "string" ? normalName(given) : "";
    if (name === "" || name.length > 100) {
      throw new TypeError(`${where}: name is ${describe(given)}, wanted a name`);
    }
    const unknown = Object.keys(entry).find((field) => !FIELDS.has(field));
    if (unknown !== undefined) {
      throw new TypeError(
        `${where} (${name}): field ${describe(unknown)} is not known, wanted ${[...FIELDS].join(", ")}`,
      );
    }
    if (typeof latitude !== "number" || !(Math.abs(latitude) <= 90)) {
      throw new TypeError(`${where} (${name}): latitude is ${describe(latitude)}, wanted −90 to 90`);
    }
    if (typeof longitude !== "number" || !(Math.abs(longitude) <= 180)) {
      throw new TypeError(`${where} (${name}): longitude is ${describe(longitude)}, wanted −180 to 180`);
    }
    if (typeof zone !== "string" || !isZone(zone)) {
      throw new TypeError(
        `${where} (${name}): zone is ${describe(zone)}, wanted an IANA time zone such as Europe/London`,
      );
    }
    if (elevation !== null && !isElevation(elevation)) {
      throw new TypeError(
        `${where} (${name}): elevation is ${describe(elevation)}, wanted metres from −500 to 9000 or null`,
      );
    }
    if (metar !== null && !(typeof metar === "string" && /^[A-Z][A-Z0-9]{3}$/.test(metar))) {
      throw new TypeError(
        `${where} (${name}): metar is ${describe(metar)}, wanted an ICAO id such as EGLL or null`,
      );
    }
    if (names.has(name.toLowerCase())) {
      throw new TypeError(`${where} (${name}): the name is taken by another city, in any case`);
    }
    names.add(name.toLowerCase());
    const own = slugOf(name);
    if (slug !== undefined && slug !== own) {
      throw new TypeError(
        `${where} (${name}): slug is ${describe(slug)}, wanted none or ${own}, which follows from the name`,
      );
    }
    return { name, slug: own, latitude, longitude, zone, elevation, metar };
  });
}

/** Whether a value can be a height above sea level on land, m. */
export function isElevation(value: unknown): value is number {
  return typeof value === "number" && value >= -500 && value <= 9000;
}

/** Whether `zone` is an IANA time zone this machine knows. */
export function isZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}
