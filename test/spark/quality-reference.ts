import type { Row } from "../../core/observation.ts";
import { DAY_MS, HOUR_MS } from "../../core/time.ts";
import type { Limit } from "../../core/quality.ts";
import { type Variable, VARIABLE_NAMES } from "../../core/variables.ts";
import { readLimits } from "../../spark/limits.ts";
import {
  dewPointOf,
  elevationOf,
  type Facts,
  grossOf,
  gustOf,
  limitOf,
  rainOf,
  type Verdict,
  worst,
} from "./quality-facts.ts";
import { groupBy, hourOf, present, quantile } from "./reference.ts";

/** The flags of one observation, as columns of the view `quality`. */
export type FlagRow = Record<string, unknown>;

const MINUTE = 60_000;

/** Judges observations row by row, in plain code: the reference for the SQL. */
export function flagsOf(rows: readonly Row[], facts: Facts): Map<Row, FlagRow> {
  const flags = new Map<Row, FlagRow>();
  const ahead = limitOf(facts, rows[0]!, "time", "age", null).fail_low!;
  // Those whose time is ahead stand beside none of the others.
  const isAhead = (row: Row) => Date.parse(row.ingested_at) - Date.parse(row.timestamp) < ahead * MINUTE;
  const inTime = rows.filter((row) => !isAhead(row));
  const hours = groupBy(inTime, (row) => hourKey(row.city, hourOf(row)));
  const levels = new Map([...groupBy(inTime, seriesOf)].map(([key, own]) => [key, levelsOf(own)]));
  for (const series of groupBy(rows, (row) => `${seriesOf(row)}\n${isAhead(row)}`).values()) {
    const sorted = series.toSorted((a, b) => Date.parse(a.timestamp) - Date.parse(b.timestamp));
    const found = new Series(sorted, hours, facts, levels.get(seriesOf(series[0]!)) ?? new Map()).flags();
    sorted.forEach((row, i) => flags.set(row, found[i]!));
  }
  return flags;
}

/** The observations without the values that fail. */
export async function withoutFailed(rows: readonly Row[]): Promise<(Row & { flag: unknown })[]> {
  const flags = flagsOf(rows, { cities: [], stations: [], limits: await readLimits() });
  return rows.map((row) => {
    const own = flags.get(row)!;
    const failed = VARIABLE_NAMES.filter((name) => own[`${name}_flag`] === 4);
    return { ...row, ...Object.fromEntries(failed.map((name) => [name, null])), flag: own.flag };
  });
}

function seriesOf({ city, source }: Row): string {
  return `${city}\n${source}`;
}

/** The level of a series on each day: of the hours of that day and the 29 before it, once there are 24. */
function levelsOf(rows: readonly Row[]): Map<number, number> {
  const known = rows.filter(({ pressure }) => pressure !== null);
  const hours = [...groupBy(known, hourOf)].map(([hour, own]) => ({
    day: Math.floor(hour / DAY_MS),
    pressure: quantile(present(own.map(({ pressure }) => pressure)), 0.5)!,
  }));
  const levels = new Map<number, number>();
  for (const day of new Set(hours.map((hour) => hour.day))) {
    const own = hours.filter((hour) => hour.day <= day && hour.day > day - 30);
    if (own.length >= 24)
      levels.set(
        day,
        quantile(
          own.map(({ pressure }) => pressure),
          0.5,
        )!,
      );
  }
  return levels;
}

function hourKey(city: string, ms: number): string {
  return `${city}\n${ms}`;
}

class Series {
  constructor(
    readonly rows: readonly Row[],
    readonly hours: ReadonlyMap<string, readonly Row[]>,
    readonly facts: Facts,
    /** By day since the epoch. */
    readonly levels: ReadonlyMap<number, number>,
  ) {}

  /** The usual pressure on the day of report `i`; null where it is not known. */
  #level(i: number): number | null {
    return this.levels.get(Math.floor(Date.parse(this.rows[i]!.timestamp) / DAY_MS)) ?? null;
  }

  flags(): FlagRow[] {
    return this.rows.map((row, i) => {
      const gross = Object.fromEntries(VARIABLE_NAMES.map((name) => [name, this.#gross(row, name)]));
      const step = { temperature: this.#stepT(i), humidity: this.#stepH(i), pressure: this.#stepP(i) };
      const spike = { temperature: this.#spike(i, "temperature"), pressure: this.#spike(i, "pressure") };
      const stuck = {
        temperature: this.#stuck(i, "temperature"),
        humidity: this.#stuck(i, "humidity"),
        pressure: this.#stuck(i, "pressure"),
      };
      const level = this.#levelFlag(i);
      const [dew, gust, rain] = [dewPointOf(this.facts, row), gustOf(this.facts, row), rainOf(row)];
      const time = this.#time(i);
      const neighbour = this.#neighbour(row);
      const doubt = dew !== null && dew > 1 ? 3 : null;
      const future = time === 4 ? 4 : null;
      const has = (...names: Variable[]) => names.some((name) => (row[name] ?? null) !== null);
      const test = (present: boolean, ...verdicts: Verdict[]) => (present ? (worst(verdicts) ?? 2) : 9);
      const of = (name: Variable, ...verdicts: Verdict[]) =>
        has(name) ? worst([gross[name] ?? null, future, ...verdicts]) : (gross[name] ?? 9);
      const tests = {
        q_gross: worst(Object.values(gross)) ?? 9,
        q_step: test(has("temperature", "humidity", "pressure"), ...Object.values(step)),
        q_spike: test(has("temperature", "pressure"), ...Object.values(spike)),
        q_stuck: test(has("temperature", "humidity", "pressure"), ...Object.values(stuck)),
        q_level: test(has("pressure"), level),
        q_consistency: test(
          has("temperature", "wind_speed", "rainfall"),
          dew,
          gust.below,
          gust.farAbove,
          rain,
        ),
        q_time: time ?? 2,
        q_neighbour: test(has("temperature"), neighbour),
      };
      const verdicts = Object.values(tests).filter((flag): flag is 1 | 3 | 4 => [1, 3, 4].includes(flag));
      return {
        ...tests,
        ...Object.fromEntries(VARIABLE_NAMES.map((name) => [`${name}_flag`, of(name)])),
        temperature_flag: of(
          "temperature",
          step.temperature,
          spike.temperature,
          stuck.temperature,
          neighbour,
          doubt,
        ),
        humidity_flag: of("humidity", step.humidity, stuck.humidity, doubt),
        pressure_flag: of("pressure", step.pressure, spike.pressure, stuck.pressure, level),
        wind_speed_flag: of("wind_speed", gust.below),
        wind_gust_flag: of("wind_gust", gust.below, gust.farAbove),
        dew_point_flag: of("dew_point", doubt),
        rainfall_flag: of("rainfall", rain),
        flag: worst(Object.values(gross)) === null ? 9 : worst(verdicts),
      };
    });
  }

  #limit(test: string, variable: string, hours: number | null = null): Limit {
    return limitOf(this.facts, this.rows[0]!, test, variable, hours);
  }

  #gross(row: Row, variable: Variable): Verdict {
    return grossOf(this.facts, row, variable);
  }

  /** Minutes from report `j` to report `i`; infinite where there is none. */
  #minutes(i: number, j: number): number {
    const [a, b] = [this.rows[i], this.rows[j]];
    return a === undefined || b === undefined
      ? Infinity
      : (Date.parse(a.timestamp) - Date.parse(b.timestamp)) / MINUTE;
  }

  #value(i: number, variable: Variable): number | null {
    return this.rows[i]?.[variable] ?? null;
  }

  #departure(i: number, variable: Variable): number | null {
    const [before, value, after] = [i - 1, i, i + 1].map((at) => this.#value(at, variable));
    if (before == null || value == null || after == null) return null;
    if (this.#minutes(i, i - 1) > 70 || this.#minutes(i + 1, i) > 70) return null;
    const [up, down] = [value - before, value - after];
    return up * down > 0 ? Math.min(Math.abs(up), Math.abs(down)) : 0;
  }

  #spike(i: number, variable: "temperature" | "pressure"): Verdict {
    const departure = this.#departure(i, variable);
    if (departure === null) return null;
    const { suspect_high, fail_high } = this.#limit("spike", variable);
    if (departure <= suspect_high!) return 1;
    if (departure <= fail_high!) return 3;
    const level = this.#level(i);
    if (variable === "temperature" || level === null) return 4;
    const off = (at: number) => Math.abs(this.#value(at, "pressure")! - level);
    return off(i) >= off(i - 1) ? 4 : 3;
  }

  /** The temperature that others are compared with. */
  #temperature(i: number): number | null {
    const row = this.rows[i];
    if (row === undefined || this.#gross(row, "temperature") === 4) return null;
    return (this.#spike(i, "temperature") ?? 1) === 1 ? row.temperature : null;
  }

  #stepT(i: number): Verdict {
    const value = this.#value(i, "temperature");
    if (value === null) return null;
    const limits = new Map([1, 2, 3, 6, 12].map((n) => [n, this.#limit("step", "temperature", n)]));
    const hour = limits.get(1)!;
    const seen = [...limits].flatMap(([reports, limit]) => {
      const other = this.#temperature(i - reports);
      const minutes = this.#minutes(i, i - reports);
      if (other === null) return [];
      const change = Math.abs(value - other);
      const most =
        minutes <= 70 ? hour.suspect_high! : minutes <= reports * 60 + 10 ? limit.suspect_high! : null;
      return [{ reports, minutes, change, over: most === null ? null : change > most }];
    });
    const returned = (reports: number[], minutes: number) =>
      seen.some(
        (one) => reports.includes(one.reports) && one.minutes <= minutes && one.change <= hour.suspect_high!,
      );
    const isReturn = returned([2, 3], 190);
    const first = seen.find(({ reports, minutes }) => reports === 1 && minutes <= 70);
    if (first !== undefined && first.change > hour.fail_high! && !isReturn && !returned([6, 12], 730))
      return 4;
    if (seen.some(({ over, reports }) => over === true && (reports > 3 || !isReturn))) return 3;
    return seen.some(({ over }) => over !== null) ? 1 : null;
  }

  #stepH(i: number): Verdict {
    const [value, before] = [this.#value(i, "humidity"), this.#value(i - 1, "humidity")];
    if (value === null || before === null || this.#minutes(i, i - 1) > 70) return null;
    return Math.abs(value - before) > this.#limit("step", "humidity", 1).suspect_high! ? 3 : 1;
  }

  #stepP(i: number): Verdict {
    const [value, before] = [this.#value(i, "pressure"), this.#value(i - 1, "pressure")];
    if (value === null || before === null || this.#minutes(i, i - 1) > 70) return null;
    if (this.#gross(this.rows[i - 1]!, "pressure") === 4 || (this.#spike(i - 1, "pressure") ?? 1) > 1)
      return null;
    if ((this.#offLevel(i - 1) ?? 1) > 1) return null;
    const { suspect_high, fail_high } = this.#limit("step", "pressure", 1);
    const change = Math.abs(value - before);
    if (change <= suspect_high!) return 1;
    const confirmed = this.#levelFlag(i) === 4 || this.#gross(this.rows[i]!, "pressure") === 4;
    return change > fail_high! && confirmed ? 4 : 3;
  }

  #offLevel(i: number): Verdict {
    const value = this.#value(i, "pressure");
    const level = value === null ? null : this.#level(i);
    if (value === null || level === null) return null;
    const { suspect_high, fail_high } = this.#limit("level", "pressure");
    const off = Math.abs(value - level);
    return off > fail_high! ? 4 : off > suspect_high! ? 3 : 1;
  }

  #levelFlag(i: number): Verdict {
    const off = this.#offLevel(i);
    if (off === null || off === 1) return off;
    const jumpLimit = this.#limit("step", "pressure", 1).fail_high!;
    for (let j = i; j >= 0; j--) {
      if (this.#offLevel(j) === 1) return this.#minutes(i, j) > 24 * 60 ? off : off === 4 ? 3 : 1;
      const [value, before] = [this.#value(j, "pressure"), this.#value(j - 1, "pressure")];
      const isJump = value !== null && before !== null && Math.abs(value - before) > jumpLimit;
      if (isJump && this.#minutes(j, j - 1) <= 190) return off;
    }
    return off;
  }

  #stuck(i: number, variable: "temperature" | "humidity" | "pressure"): Verdict {
    const value = this.#value(i, variable);
    if (value === null || this.#minutes(i, i - 1) > 190) return null;
    if (variable === "humidity" && value >= this.#limit("stuck", "saturation").suspect_high!) return 1;
    let first = i;
    while (this.#value(first - 1, variable) === value && this.#minutes(first, first - 1) <= 190) first--;
    const { suspect_high, fail_high } = this.#limit("stuck", variable);
    const hours = this.#minutes(i, first) / 60;
    return fail_high !== null && hours >= fail_high ? 4 : hours >= suspect_high! ? 3 : 1;
  }

  #time(i: number): Verdict {
    const row = this.rows[i]!;
    const minutes = (Date.parse(row.ingested_at) - Date.parse(row.timestamp)) / MINUTE;
    const { fail_low, suspect_high } = this.#limit("time", "age");
    if (minutes > this.#limit("time", "history").suspect_high!) return null;
    if (minutes < fail_low!) return 4;
    const next = this.rows[i + 1];
    const isOvertaken = next !== undefined && Date.parse(next.ingested_at) < Date.parse(row.ingested_at);
    const isOutOfOrder = isOvertaken && minutes > this.#limit("time", "order").suspect_high!;
    return minutes > suspect_high! || isOutOfOrder ? 3 : 1;
  }

  #neighbour(row: Row): Verdict {
    if (row.temperature === null || this.#gross(row, "temperature") === 4) return null;
    if (!(this.hours.get(hourKey(row.city, hourOf(row))) ?? []).includes(row)) return null; // its time is ahead
    const { suspect_high, fail_high } = this.#limit("neighbour", "temperature");
    const sources = groupBy(
      [-1, 0, 1]
        .flatMap((by) => this.hours.get(hourKey(row.city, hourOf(row) + by * HOUR_MS)) ?? [])
        .filter(
          (one) =>
            one.source !== row.source &&
            one.temperature !== null &&
            this.#gross(one, "temperature") !== 4 &&
            Math.abs(Date.parse(one.timestamp) - Date.parse(row.timestamp)) <= 30 * MINUTE,
        ),
      ({ source }) => source,
    );
    if (sources.size === 0) return null;
    const others = [...sources.values()].map((reports) => {
      const temperatures = reports.map((one) => {
        const [theirs, own] = [elevationOf(this.facts, one), elevationOf(this.facts, row)];
        return one.temperature! + (theirs === null || own === null ? 0 : 0.0065 * (theirs - own));
      });
      return {
        temperatures,
        difference: Math.min(...temperatures.map((one) => Math.abs(row.temperature! - one))),
      };
    });
    const all = others.length + 1;
    if (others.filter(({ difference }) => difference > suspect_high!).length < all / 2) return 1;
    const far = others.filter(({ difference }) => difference > fail_high!);
    const spread = far.flatMap(({ temperatures }) => temperatures);
    return far.length > all / 2 && Math.max(...spread) - Math.min(...spread) <= suspect_high! ? 4 : 3;
  }
}
