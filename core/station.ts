import { normalName } from "./city-name.ts";
import { isElevation } from "./city.ts";
import { describe } from "./observation.ts";
import { formatTimestamp, parseTimestamp } from "./time.ts";

/** A period in which position and sensor of a station did not change. */
export interface StationPeriod {
  /** Start, ISO 8601 UTC. It ends at the start of the next period. */
  from: string;
  /** Degrees north. */
  latitude: number;
  /** Degrees east. */
  longitude: number;
  /** Height above sea level, m; null if unknown. */
  elevation: number | null;
  /** Description of the sensor; null if unknown. */
  sensor: string | null;
}

/** A weather station of the user. */
export interface Station {
  /** Its observations have the source `station:<id>`. */
  id: string;
  /** The city whose weather it reports, by its name in observations. */
  city: string;
  /** In time order, at least one. Values from before a change and after it are not comparable. */
  periods: readonly StationPeriod[];
}

/** A station in the stations file. */
export interface RegisteredStation extends Station {
  /** SHA-256 of its key, hex; null if it does not push. */
  keySha256: string | null;
}

/** The source of a station's observations. */
export function stationSource(id: string): string {
  return `station:${id}`;
}

/** Whether a station may have this id: 1 to 40 letters, digits, `_` and `-`. */
export function isStationId(id: unknown): id is string {
  return typeof id === "string" && /^[A-Za-z0-9_-]{1,40}$/.test(id);
}

/**
 * Reads a list of stations. Ids are case-insensitive, because consoles differ in the case that they send. The city's
 * name is put into its normal form ({@link normalName}).
 *
 * @param input parsed JSON: `[{ "id", "city", "key_sha256"?, "periods": [{ "from", "latitude", "longitude", "elevation"?,
 *   "sensor"? }] }]`; `from` is ISO 8601 with a zone, or a date, which begins at midnight UTC
 * @throws {TypeError} naming the station, the field, its value and what was wanted
 */
export function parseStations(input: unknown): RegisteredStation[] {
  if (!Array.isArray(input)) throw new TypeError("wanted a JSON array of stations");
  const ids = new Set<string>();
  const keys = new Set<string>();
  return input.map((entry: unknown, index) => {
    const where = `station ${index + 1}`;
    if (!isObject(entry)) throw new TypeError(`${where} is ${describe(entry)}, wanted an object`);
    const { id, city: given, key_sha256: keySha256 = null, periods } = entry;
    if (!isStationId(id)) {
      throw new TypeError(`${where}: id is ${describe(id)}, wanted 1 to 40 letters, digits, _ and -`);
    }
    const named = `${where} (${id})`;
    if (ids.has(id.toLowerCase())) throw new TypeError(`${named}: the id is taken by another station`);
    ids.add(id.toLowerCase());
    const city = typeof given === "string" ? normalName(given) : "";
    if (city === "" || city.length > 100) {
      throw new TypeError(`${named}: city is ${describe(given)}, wanted a name`);
    }
    if (keySha256 !== null) {
      if (typeof keySha256 !== "string" || !/^[0-9a-f]{64}$/.test(keySha256)) {
        throw new TypeError(`${named}: key_sha256 is no SHA-256 in lower-case hex`); // perhaps the key itself: not shown
      }
      if (keys.has(keySha256)) throw new TypeError(`${named}: another station has the same key`);
      keys.add(keySha256);
    }
    return { id, city, keySha256, periods: parsePeriods(periods, named) };
  });
}

function parsePeriods(input: unknown, station: string): StationPeriod[] {
  if (!Array.isArray(input) || input.length === 0) {
    throw new TypeError(`${station}: periods is ${describe(input)}, wanted an array of at least one`);
  }
  let before = -Infinity;
  return input.map((entry: unknown, index) => {
    const where = `${station}, period ${index + 1}`;
    if (!isObject(entry)) throw new TypeError(`${where} is ${describe(entry)}, wanted an object`);
    const { from, latitude, longitude, elevation = null, sensor = null } = entry;
    const ms = typeof from === "string" ? momentOf(from) : NaN;
    if (Number.isNaN(ms)) {
      throw new TypeError(
        `${where}: from is ${describe(from)}, wanted a date such as 2026-01-31, or ISO 8601 with a zone`,
      );
    }
    if (ms <= before) {
      throw new TypeError(`${where}: from is ${describe(from)}, wanted later than the period before`);
    }
    before = ms;
    if (typeof latitude !== "number" || !(Math.abs(latitude) <= 90)) {
      throw new TypeError(`${where}: latitude is ${describe(latitude)}, wanted −90 to 90`);
    }
    if (typeof longitude !== "number" || !(Math.abs(longitude) <= 180)) {
      throw new TypeError(`${where}: longitude is ${describe(longitude)}, wanted −180 to 180`);
    }
    if (elevation !== null && !isElevation(elevation)) {
      throw new TypeError(
        `${where}: elevation is ${describe(elevation)}, wanted metres from −500 to 9000 or null`,
      );
    }
    if (sensor !== null && (typeof sensor !== "string" || sensor.trim() === "" || sensor.length > 100)) {
      throw new TypeError(`${where}: sensor is ${describe(sensor)}, wanted up to 100 characters or null`);
    }
    return { from: formatTimestamp(ms), latitude, longitude, elevation, sensor };
  });
}

function momentOf(text: string): number {
  return parseTimestamp(/^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00:00Z` : text);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
