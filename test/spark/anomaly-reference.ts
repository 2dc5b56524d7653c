import type { Row } from "../../core/observation.ts";
import { DAY_MS, HOUR_MS } from "../../core/time.ts";
import { withOutages } from "./outage-reference.ts";
import { groupBy, hourOf, mean, present, quantile, stddev } from "./reference.ts";

/** A row with the flags that quality control gave it. */
export interface FlaggedRow extends Row {
  temperature_flag: number;
  flag: number;
}

/** What `baseline` has of an hour of the day of a series. */
export interface UsualHour {
  city: string;
  source: string;
  hour_of_day: number;
  n: number;
  days: number;
  median: number | null;
  spread: number | null;
  lower: number | null;
  upper: number | null;
  mean: number | null;
  stddev: number | null;
  part: number | null;
  slope_before: number;
  slope_after: number;
  step_spread: number | null;
  steps: number | null;
  interval_minutes: number | null;
  intervals: number;
  first_timestamp: string | null;
  last_timestamp: string | null;
}

interface Report extends FlaggedRow {
  ms: number;
  hour: number;
  /** Share of the hour that has passed. */
  part: number;
}

/** Rows by series, each in time order, the series in theirs. */
function seriesOf(rows: readonly FlaggedRow[]): Report[][] {
  const reports = rows.map((row): Report => {
    const ms = Date.parse(row.timestamp);
    return { ...row, ms, hour: new Date(ms).getUTCHours(), part: (ms % HOUR_MS) / HOUR_MS };
  });
  const series = groupBy(reports, ({ city, source }) => `${city}\n${source}`);
  return [...series].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, own]) => own.sort((a, b) => a.ms - b.ms));
}

const median = (values: readonly number[]) => quantile(values, 0.5);

/** The rows of the job `baseline` without own stations, computed another way. */
export function baselineOf(rows: readonly FlaggedRow[]): UsualHour[] {
  const every = seriesOf(rows);
  return every.flatMap((all) => {
    const newest = all.at(-1)!.ms;
    const inSeason = ({ ms }: Report) => {
      const age = (newest - ms) / DAY_MS;
      return age < 30 || (age > 345 && (age + 15) % 365.25 < 30);
    };
    // What was before its first report comes from the source of the city that began first.
    const [lender] = every
      .filter(([first]) => first!.city === all[0]!.city)
      .sort(([a], [b]) => a!.ms - b!.ms || (a!.source < b!.source ? -1 : 1));
    const borrowed = lender === all ? [] : lender!.filter(({ ms }) => ms < all[0]!.ms);
    const own = all.filter(inSeason);
    const season = [...borrowed.filter(inSeason), ...own];
    // Of the last seven days, each from the report before.
    const intervals = own.flatMap(({ ms }, i) =>
      i > 0 && newest - ms < 7 * DAY_MS ? [(ms - own[i - 1]!.ms) / 60_000] : [],
    );
    const good = season.filter((one) => one.temperature !== null && one.temperature_flag !== 4);
    const hours = new Map<number, UsualHour>();
    for (const hour of new Set(season.map((one) => one.hour))) {
      const own = good.filter((one) => one.hour === hour);
      // An hour of a day counts once, by the mean of its reports.
      const days = [...groupBy(own, hourOf).values()];
      const values = days.map((some) => mean(present(some.map(({ temperature }) => temperature)))!);
      hours.set(hour, {
        city: all[0]!.city,
        source: all[0]!.source,
        hour_of_day: hour,
        n: own.length,
        days: days.length,
        median: median(values),
        spread: null,
        lower: null,
        upper: null,
        mean: mean(values),
        stddev: stddev(values),
        part: mean(days.map((some) => mean(some.map(({ part }) => part))!)),
        slope_before: 0,
        slope_after: 0,
        step_spread: null,
        steps: null,
        interval_minutes: median(intervals),
        intervals: intervals.length,
        first_timestamp: good[0]?.timestamp ?? null,
        last_timestamp: good.at(-1)?.timestamp ?? null,
      });
    }
    for (const [hour, usual] of hours) {
      const before = hours.get((hour + 23) % 24);
      const after = hours.get((hour + 1) % 24);
      if (usual.median === null) continue;
      if (before?.median != null) {
        usual.slope_before = (usual.median - before.median) / (usual.part! + 1 - before.part!);
      }
      if (after?.median != null) {
        usual.slope_after = (after.median - usual.median) / (after.part! + 1 - usual.part!);
      }
    }
    const departures = good.map((one) => one.temperature! - usualAt(one, hours)!);
    const steps = good.map((one, i) => {
      const gap = i === 0 ? Infinity : (one.ms - good[i - 1]!.ms) / HOUR_MS;
      return gap > 6 ? null : departures[i]! - 0.97 ** gap * departures[i - 1]!;
    });
    for (const [hour, usual] of hours) {
      usual.steps = good.length === 0 ? null : present(steps).length;
      const near = (i: number) => [23, 0, 1].some((shift) => (good[i]!.hour + shift) % 24 === hour);
      const days = [...groupBy([...good.keys()].filter(near), (i) => hourOf(good[i]!)).values()];
      const far = days.map((some) => Math.abs(mean(some.map((i) => departures[i]!))!));
      const large = days.flatMap((some) => mean(present(some.map((i) => steps[i]!)).map(Math.abs)) ?? []);
      if (far.length === 0) continue;
      usual.spread = Math.max(1.4826 * median(far)!, 0.5);
      usual.step_spread = Math.max(1.4826 * (median(large) ?? 0), (quantile(large, 0.9) ?? 0) / 1.6449, 1.5);
      if (usual.median === null) continue;
      usual.lower = usual.median - 3.5 * usual.spread;
      usual.upper = usual.median + 3.5 * usual.spread;
    }
    return [...hours.values()].sort((a, b) => a.hour_of_day - b.hour_of_day);
  });
}

/** The temperature that is usual at the time of a report. */
function usualAt({ hour, part }: Report, hours: ReadonlyMap<number, UsualHour>): number | null {
  const usual = hours.get(hour);
  if (usual?.median == null) return null;
  const away = part - usual.part!;
  return usual.median + away * (away < 0 ? usual.slope_before : usual.slope_after);
}

/** The rows of the view `anomaly`, computed another way, by city, source, time and kind. */
export function anomaliesOf(
  rows: readonly FlaggedRow[],
  baseline: readonly UsualHour[],
): Record<string, unknown>[] {
  const watermark = Math.max(...rows.map(({ timestamp }) => Date.parse(timestamp)));
  const recent = (series: readonly Report[]) => series.filter(({ ms }) => ms > watermark - 30 * DAY_MS);
  const judged = seriesOf(rows).flatMap((series) => {
    const { city, source } = series[0]!;
    const usual = baseline.filter((one) => one.city === city && one.source === source);
    const hours = new Map(usual.map((one) => [one.hour_of_day, one]));
    const known = usual[0];
    const all = recent(series);
    const warm = all.filter(({ temperature }) => temperature !== null);
    const expected = warm.map((one) => usualAt(one, hours));
    const away = warm.map((one, i) => (expected[i] === null ? null : one.temperature! - expected[i]!));
    const gaps = warm.map((one, i) => (i === 0 ? NaN : (one.ms - warm[i - 1]!.ms) / HOUR_MS));
    const scales = warm.map((one, i) => {
      const spread = hours.get(one.hour)?.step_spread ?? null;
      if (spread === null || !(gaps[i]! <= 6)) return null;
      return spread * Math.sqrt(Math.max(1, (gaps[i]! * 60) / known!.interval_minutes!));
    });
    const z = warm.map((_, i) => {
      const [now, before, scale] = [away[i], away[i - 1], scales[i]];
      if (now == null || before == null || scale == null) return null;
      return (now - 0.97 ** gaps[i]! * before) / scale;
    });
    const thereAndBack = (i: number) => {
      const [there, back] = [z[i], z[i + 1]];
      return there != null && back != null && there * back < 0
        ? Math.min(Math.abs(there), Math.abs(back))
        : 0;
    };
    const found: Record<string, unknown>[] = [];
    const add = (
      report: Report,
      kind: string,
      judged: boolean,
      [shown, alert, severe]: readonly [number, number, number],
      values: Record<string, unknown> & { score: number | null },
    ) => {
      const size = Math.abs(values.score ?? 0);
      const status =
        !judged || values.score === null ? "insufficient data" : size >= shown ? "anomaly" : "normal";
      const severity = status !== "anomaly" ? null : size >= severe ? 3 : size >= alert ? 2 : 1;
      const { timestamp, log_offset, flag } = report;
      found.push({
        city,
        source,
        timestamp,
        log_offset,
        kind,
        variable: "temperature",
        unit: "°C",
        observed: report.temperature,
        expected: null,
        lower: null,
        upper: null,
        n: known?.steps ?? 0,
        severity,
        status,
        flag,
        mean: null,
        stddev: null,
        z_classic: null,
        ...values,
      });
    };
    for (const [i, report] of warm.entries()) {
      const left = 0.97 ** gaps[i]! * (away[i - 1] ?? NaN);
      const level = expected[i] ?? NaN;
      const scale = scales[i] ?? NaN;
      const enough = (known?.steps ?? 0) >= 100 && z[i] != null;
      if (i + 1 < warm.length) {
        const fade = 0.97 ** gaps[i + 1]!;
        const ahead = [-1, 1].map(
          (sign) => ((away[i + 1] ?? NaN) + sign * 2 * (scales[i + 1] ?? NaN)) / fade,
        );
        add(report, "spike", enough && z[i + 1] != null, [2, 2, 4], {
          expected: orNull(level + (left + (away[i + 1] ?? NaN) / fade) / 2),
          // The engines leave out what is missing of several bounds.
          lower: orNull(level + least([left - 2 * scale, ahead[0]!])),
          upper: orNull(level + -least([-left - 2 * scale, -ahead[1]!])),
          score: thereAndBack(i),
          method: "two opposite steps, in usual steps of the hour",
        });
      }
      const isSpikes = Math.max(thereAndBack(i), i === 0 ? 0 : thereAndBack(i - 1)) >= 2;
      add(report, "step", enough, [4, 4, 8], {
        expected: orNull(level + left),
        lower: orNull(level + left - 4 * scale),
        upper: orNull(level + left + 4 * scale),
        score: isSpikes ? 0 : (z[i] ?? null),
        method: "step of what departs from usual, in usual steps of the hour",
      });
      const hour = hours.get(report.hour);
      const spread = hour?.spread ?? NaN;
      add(report, "unusual", (hour?.days ?? 0) >= 10, [3.5, 7, 10], {
        expected: orNull(level),
        lower: orNull(level - 3.5 * spread),
        upper: orNull(level + 3.5 * spread),
        score: orNull((away[i] ?? NaN) / spread),
        method: "robust z by hour of day and season",
        n: hour?.n ?? 0,
        mean: hour?.mean ?? null,
        stddev: hour?.stddev ?? null,
        z_classic: hour?.stddev ? (report.temperature! - hour.mean!) / hour.stddev : null,
      });
      let start = i;
      while (start > 0 && warm[start - 1]!.temperature === report.temperature) start--;
      const unchanged = (report.ms - warm[start]!.ms) / HOUR_MS;
      add(report, "stuck", i >= 5, [6, 12, 24], {
        unit: "h",
        observed: unchanged,
        upper: 6,
        score: i - start >= 5 ? unchanged : 0,
        method: "hours without a change",
        n: i - start + 1,
      });
    }
    for (const [i, report] of all.entries()) {
      const minutes = ((all[i + 1]?.ms ?? watermark) - report.ms) / 60_000;
      const intervals = [1, 2, 3].map(
        (k) => ((all[i - k + 1]?.ms ?? NaN) - (all[i - k]?.ms ?? NaN)) / 60_000,
      );
      const interval = Math.max(1, known?.interval_minutes ?? 0, i > 2 ? (median(intervals) ?? 0) : 0);
      const isHistory = Date.parse(report.ingested_at) - report.ms > DAY_MS;
      const judged = i > 2 && (known?.intervals ?? 0) >= 10 && !(isHistory && i === all.length - 1);
      add(report, "silent", judged, [3, 3, 24], {
        variable: "interval",
        unit: "min",
        observed: minutes,
        expected: interval,
        upper: 3 * interval,
        score: minutes / interval,
        method: "minutes without a report, in usual intervals",
        n: known?.intervals ?? 0,
      });
    }
    return found;
  });
  const order = ({ city, source, timestamp, kind }: Record<string, unknown>) =>
    [city, source, timestamp, kind].join("\n");
  const series = seriesOf(rows)
    .map(recent)
    .filter((reports) => reports.length > 0);
  return withOutages(judged, series).sort((a, b) => (order(a) < order(b) ? -1 : 1));
}

function orNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}

/** The smaller of those that are there. */
function least(values: readonly number[]): number {
  const there = values.filter((value) => !Number.isNaN(value));
  return there.length === 0 ? NaN : Math.min(...there);
}
