import type { City } from "../../core/city.ts";
import type { Row } from "../../core/observation.ts";
import { type Station, stationSource } from "../../core/station.ts";
import type { Limit } from "../../core/quality.ts";
import type { Variable } from "../../core/variables.ts";

/** What a test says: a flag, or null where it was not made. */
export type Verdict = 1 | 3 | 4 | null;

/** What is known beside the observations. */
export interface Facts {
  cities: readonly City[];
  stations: readonly Station[];
  limits: readonly Limit[];
}

/** The limit of a city, in the season of a time where it has one; the widest where the city's latitude is not known. */
export function limitOf(
  { cities, limits }: Facts,
  { city, timestamp }: Pick<Row, "city" | "timestamp">,
  test: string,
  variable: string,
  hours: number | null = null,
): Limit {
  const latitude = cities.find(({ name }) => name === city)?.latitude;
  const month = new Date(timestamp).getUTCMonth() + 1;
  const isSummerNorth = month >= 4 && month <= 9;
  return widest(
    limits.filter(
      (one) =>
        one.test === test &&
        one.variable === variable &&
        one.hours === hours &&
        (latitude === undefined ||
          ((one.latitude === null || (one.latitude === "low") === Math.abs(latitude) <= 45) &&
            (one.season === null || (one.season === "summer") === (latitude >= 0 === isSummerNorth)))),
    ),
  );
}

/** Whether a value is an extreme. */
export function grossOf(facts: Facts, row: Row, variable: Variable): Verdict {
  const value = row[variable] ?? null;
  if (value === null) return isImpossible(row, variable) ? 4 : null;
  const limit = limitOf(facts, row, "gross", variable);
  if (value < limit.fail_low! || value > limit.fail_high!) return 4;
  return value < limit.suspect_low! || value > limit.suspect_high! ? 3 : 1;
}

/** Whether a value came that no instrument can have measured. */
function isImpossible({ impossible }: Row, variable: Variable): boolean {
  return impossible != null && variable in (JSON.parse(impossible) as object);
}

/** Whether the dew point is above the temperature. */
export function dewPointOf(facts: Facts, row: Row): Verdict {
  const { dew_point: dewPoint, temperature } = row;
  if (dewPoint == null || temperature === null) return null;
  if (grossOf(facts, row, "dew_point") === 4 || grossOf(facts, row, "temperature") === 4) return null;
  const { suspect_high, fail_high } = limitOf(facts, row, "consistency", "dew_point");
  const above = dewPoint - temperature;
  return above > fail_high! ? 4 : above > suspect_high! ? 3 : 1;
}

/** Whether gusts are weaker than the wind, and whether they are far stronger; of neither where one of them fails by itself. */
export function gustOf(facts: Facts, row: Row): { below: Verdict; farAbove: Verdict } {
  const { wind_gust: gust, wind_speed: speed } = row;
  const fails = (["wind_gust", "wind_speed"] as const).some((name) => grossOf(facts, row, name) === 4);
  if (gust == null || speed === null || fails) return { below: null, farAbove: null };
  const most = limitOf(facts, row, "consistency", "wind_gust").suspect_high!;
  return { below: gust < speed ? 3 : 1, farAbove: gust - speed > most ? 3 : null };
}

/** Whether it rains out of a clear sky. */
export function rainOf({ rainfall, weather_main: weather }: Row): Verdict {
  return rainfall === null || weather === null ? null : rainfall > 0 && weather === "Clear" ? 3 : 1;
}

/** The height of what reported, m. */
export function elevationOf({ cities, stations }: Facts, { source, city, timestamp }: Row): number | null {
  const station = stations.find((one) => stationSource(one.id) === source && one.city === city);
  const period = station?.periods.findLast(({ from }) => Date.parse(from) <= Date.parse(timestamp));
  return period?.elevation ?? cities.find(({ name }) => name === city)?.elevation ?? null;
}

/** The worst of some verdicts; null where none was made. */
export function worst(verdicts: readonly Verdict[]): 1 | 3 | 4 | null {
  const given = verdicts.filter((verdict) => verdict !== null);
  return given.length === 0 ? null : (Math.max(...given) as 1 | 3 | 4);
}

function widest(limits: readonly Limit[]): Limit {
  const [first] = limits;
  if (first === undefined) throw new Error("there is no such limit");
  const pick = (name: "suspect_low" | "fail_low" | "suspect_high" | "fail_high", of: typeof Math.min) => {
    const values = limits.flatMap((limit) => limit[name] ?? []);
    return values.length === 0 ? null : of(...values);
  };
  return {
    ...first,
    suspect_low: pick("suspect_low", Math.min),
    fail_low: pick("fail_low", Math.min),
    suspect_high: pick("suspect_high", Math.max),
    fail_high: pick("fail_high", Math.max),
  };
}
