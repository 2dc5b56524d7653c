import { gunzipSync } from "node:zlib";

interface Seen {
  city: string;
  ms: number;
  temperature: number | null;
  humidity: number | null;
  pressure: number | null;
  wind_speed: number | null;
  rainfall: number | null;
  weather_main: string | null;
}

/** The statistics of a city, as `city_statistics` names them. */
export type Statistics = { city: string } & Record<string, number | string | null>;

const HOUR = 3_600_000;

/**
 * What `city_statistics` must say about a recording, computed from the file alone: nothing of the program is used. Of one
 * city and time the last line counts. Null for a file that is not of JSON lines; hourly sources only, so that every hour's
 * rain is its own.
 */
export async function statisticsOf(path: string): Promise<Statistics[] | null> {
  if (!/\.jsonl(\.gz)?$/.test(path)) return null;
  const bytes = await Bun.file(path).bytes();
  const text = new TextDecoder().decode(path.endsWith(".gz") ? gunzipSync(bytes) : bytes);
  const cities = new Map<string, Map<number, Seen>>();
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const record = JSON.parse(line) as Seen & { timestamp: string };
    const ms = Date.parse(record.timestamp);
    let own = cities.get(record.city);
    if (own === undefined) cities.set(record.city, (own = new Map()));
    own.set(ms, { ...record, ms });
  }
  return [...cities].map(([city, rows]) => ofCity(city, [...rows.values()]));
}

function ofCity(city: string, rows: readonly Seen[]): Statistics {
  const values = (pick: (row: Seen) => number | null) =>
    rows.map(pick).filter((value) => value !== null && value !== undefined);
  const temperatures = values((row) => row.temperature).sort((a, b) => a - b);
  const rain = values((row) => row.rainfall);
  const centre = mean(temperatures);
  const squares = temperatures.map((value) => (value - (centre ?? 0)) ** 2);
  const quantile = (share: number) => {
    const rank = share * (temperatures.length - 1);
    const low = temperatures[Math.floor(rank)] ?? NaN;
    const high = temperatures[Math.ceil(rank)] ?? NaN;
    return low + (high - low) * (rank - Math.floor(rank));
  };
  const hours = new Set(rows.map((row) => Math.floor(row.ms / HOUR))).size;
  const times = rows.map((row) => row.ms).sort((a, b) => a - b);
  const hoursOfAll = Math.floor((times.at(-1) ?? NaN) / HOUR) - Math.floor((times[0] ?? NaN) / HOUR) + 1;
  const conditions = Map.groupBy(
    rows.filter((row) => row.weather_main !== null),
    (row) => row.weather_main,
  );
  const [dominant] = [...conditions].sort(
    ([a, as], [b, bs]) => bs.length - as.length || ((a ?? "") < (b ?? "") ? -1 : 1),
  );
  return {
    city,
    n: rows.length,
    hours,
    coverage: hours / hoursOfAll,
    first_timestamp: isoSeconds(times[0]),
    last_timestamp: isoSeconds(times.at(-1)),
    n_temperature: temperatures.length,
    temperature_min: temperatures[0] ?? null,
    temperature_max: temperatures.at(-1) ?? null,
    temperature_mean: centre,
    temperature_stddev: Math.sqrt(exactSum(squares) / (temperatures.length - 1)),
    temperature_median: quantile(0.5),
    temperature_p05: quantile(0.05),
    temperature_p95: quantile(0.95),
    humidity_mean: mean(values((row) => row.humidity)),
    pressure_mean: mean(values((row) => row.pressure)),
    wind_speed_mean: mean(values((row) => row.wind_speed)),
    rainfall_total: rain.length === 0 ? null : exactSum(rain),
    rainfall_hours: rain.length,
    weather_dominant: dominant?.[0] ?? null,
  };
}

/** Kahan's sum: the reference must not be the one that rounds. */
function exactSum(values: readonly number[]): number {
  let sum = 0;
  let lost = 0;
  for (const value of values) {
    const next = value - lost;
    const total = sum + next;
    lost = total - sum - next;
    sum = total;
  }
  return sum;
}

function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : exactSum(values) / values.length;
}

function isoSeconds(ms: number | undefined): string {
  return ms === undefined ? "" : new Date(ms).toISOString().replace(".000Z", "Z");
}

/** Compares rows by city: the largest relative difference of the numbers, and how many other values are not equal. */
export function largestDifference(
  found: readonly Record<string, unknown>[],
  wanted: readonly Statistics[],
): { difference: number; unequal: number; compared: number } {
  const byCity = new Map(found.map((row) => [row.city, row]));
  let difference = 0;
  let unequal = Math.abs(found.length - wanted.length);
  let compared = 0;
  for (const row of wanted) {
    const other = byCity.get(row.city) ?? {};
    for (const [name, value] of Object.entries(row)) {
      compared++;
      const got = other[name];
      if (typeof value === "number" && typeof got === "number") {
        difference = Math.max(difference, Math.abs(value - got) / Math.max(Math.abs(value), 1e-300));
      } else if (value !== got) unequal++;
    }
  }
  return { difference, unequal, compared };
}
