import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Row } from "../../core/observation.ts";
import type { Station } from "../../core/station.ts";
import { DAY_MS, formatTimestamp, HOUR_MS } from "../../core/time.ts";
import { KeptViews } from "../../jobs/analytics/kept-views.ts";
import { rowsOf } from "../../spark/arrow.ts";
import { openDuckDb } from "../../spark/duckdb.ts";
import type { Argument, Engine, SqlView } from "../../spark/engine.ts";
import { defaultArguments, readSqlJobs, runJob, type SqlJob } from "../../spark/sql-job.ts";
import { valuesView } from "../../spark/values.ts";
import { analysisViews } from "../../spark/views.ts";
import { anomaliesOf, baselineOf, type FlaggedRow } from "./anomaly-reference.ts";
import { LakeFolder, observations, row as lakeRow, START } from "../support/lake-files.ts";
import { expectRows } from "./reference.ts";

type Cells = Record<string, unknown>;

const ANOMALY = "SELECT * FROM anomaly ORDER BY city, source, timestamp, kind";

let engine: Engine;
let folder: LakeFolder;
let jobs: SqlJob[];

beforeAll(async () => {
  folder = await LakeFolder.make();
  engine = await openDuckDb({ tempFolder: folder.path, threads: 2 });
  jobs = await readSqlJobs();
});
afterAll(async () => {
  await engine.close();
  await folder.remove();
});

/** A row that the log took when it was observed: one from the future fails quality control. */
function row(changes: Partial<Row> = {}): Row {
  const made = lakeRow(changes);
  return { ...made, ingested_at: made.timestamp };
}

/** The generated observations, taken by the log when they were observed; those of a few hours of city A are 15 °C off. */
function taken(days: number, seed: number): { rows: Row[]; newest: Row[] } {
  const off = { from: START + (days - 2) * DAY_MS, to: START + (days - 1.7) * DAY_MS };
  const change = (one: Row) => {
    const ms = Date.parse(one.timestamp);
    const isOff = one.city === "A" && ms >= off.from && ms < off.to;
    const temperature = isOff && one.temperature !== null ? one.temperature + 15 : one.temperature;
    return row({ ...one, temperature });
  };
  const { rows, newest } = observations(days, seed);
  return { rows: rows.map(change), newest: newest.map(change) };
}

interface Given {
  stations?: readonly Station[];
  /** In place of the views of the same name. */
  views?: readonly SqlView[];
}

async function viewsOf({ stations = [], views = [] }: Given): Promise<SqlView[]> {
  const all = await analysisViews({ cities: [], stations });
  return all.map((view) => views.find(({ name }) => name === view.name) ?? view);
}

async function query(sql: string, rows: readonly Row[], given: Given = {}): Promise<Cells[]> {
  const snapshot = await folder.snapshot(rows);
  return rowsOf(await engine.query(sql, { snapshot, views: await viewsOf(given), background: true }));
}

async function run(
  name: string,
  rows: readonly Row[],
  given: Given & { arguments?: Record<string, Argument> } = {},
): Promise<Cells[]> {
  const job = jobs.find((one) => one.name === name)!;
  const snapshot = await folder.snapshot(rows);
  const named = { ...defaultArguments(job), ...given.arguments };
  const options = { snapshot, views: await viewsOf(given), background: true };
  return rowsOf(await runJob(engine, job, { ...options, arguments: named }));
}

/** Judgements of one kind, as the view has them. */
async function kindOf(kind: string, rows: readonly Row[], given: Given = {}): Promise<Cells[]> {
  return (await query(ANOMALY, rows, given)).filter((one) => one.kind === kind);
}

/** Hourly reports of London: a day's course, and a little noise that is the same every time. */
function hourly(days: number, change: (hour: number, usual: number) => number | null = (_, t) => t): Row[] {
  return Array.from({ length: days * 24 }, (_, hour) => {
    const noise = 0.3 * Math.sin(hour * 12.9898) + 0.8 * Math.sin(hour / 31);
    return row({
      timestamp: formatTimestamp(START + hour * HOUR_MS),
      temperature: change(hour, 10 + 4 * Math.sin(((hour % 24) / 24) * 2 * Math.PI) + noise),
      log_offset: hour,
    });
  });
}

const at = (hour: number) => formatTimestamp(START + hour * HOUR_MS);
const where = (found: readonly Cells[], hour: number) =>
  found.find(({ timestamp }) => timestamp === at(hour));

describe("baseline and anomaly", () => {
  test("equal an independent computation over two sources, gaps, faults and revisions", async () => {
    const { rows, newest } = taken(38, 1);
    const flags = await query("SELECT city, source, timestamp, temperature_flag, flag FROM quality", rows);
    const key = ({ city, source, timestamp }: Cells | Row) => `${city} ${source} ${timestamp}`;
    const flagOf = new Map(flags.map((one) => [key(one), one]));
    const flagged = newest.map((one) => ({ ...one, ...flagOf.get(key(one)) })) as FlaggedRow[];
    expect(flagged.filter(({ temperature_flag }) => temperature_flag === 4).length).toBeGreaterThan(5);

    const baseline = baselineOf(flagged);
    const names = Object.keys(baseline[0]!);
    const columns = (cells: Cells) => Object.fromEntries(names.map((name) => [name, cells[name]]));
    expectRows((await run("baseline", rows)).map(columns), baseline as unknown as Cells[]);

    const wanted = anomaliesOf(flagged, baseline);
    const found = await query(ANOMALY, rows);
    for (const kind of ["spike", "step", "unusual", "silent"]) {
      expect(found.filter((one) => one.kind === kind && one.status === "anomaly")).not.toBeEmpty();
    }
    const order = Object.keys(found[0]!);
    expectRows(
      found,
      wanted.map((one) => Object.fromEntries(order.map((name) => [name, one[name]]))),
    );
  });

  test("of nothing are empty, and of one report say insufficient data", async () => {
    expect(await query(ANOMALY, [])).toEqual([]);
    expect(await run("baseline", [])).toEqual([]);
    const found = await query(ANOMALY, [row()]);
    expect(found.map(({ kind, status, n }) => [kind, status, n])).toEqual([
      ["silent", "insufficient data", 0],
      ["step", "insufficient data", 0],
      ["stuck", "insufficient data", 1],
      ["unusual", "insufficient data", 1],
    ]);
  });

  test("give the newest day the same judgements from its last 25 h and the kept baseline", async () => {
    const rows = hourly(30, (hour, usual) => (hour === 712 ? usual + 9 : hour >= 716 ? usual - 9 : usual));
    const all = await query(ANOMALY, rows);
    const job = jobs.find(({ name }) => name === "baseline")!;
    const table = await runJob(engine, job, {
      snapshot: await folder.snapshot(rows),
      views: await viewsOf({}),
      background: true,
    });
    const kept = new KeptViews({
      views: await viewsOf({}),
      result: (name) => (name === "baseline" ? { run: "1", table } : undefined),
      folder: `${folder.path}/kept`,
    });
    const last = rows.slice(-26);
    const live = rowsOf(
      await engine.query(ANOMALY, { snapshot: await folder.snapshot(last), views: await kept.list() }),
    );
    const since = (found: readonly Cells[], hour: number) =>
      found.filter(({ timestamp }) => String(timestamp) >= at(hour)).map((one) => ({ ...one, flag: null }));
    expectRows(since(live, 700), since(all, 700));
    expect(live.filter(({ status }) => status === "anomaly").map(({ kind }) => kind)).toContain("spike");
  });
});

describe("baseline", () => {
  test("is of the last 30 days, and of earlier years within 15 days of the day", async () => {
    const ages = [0, 29, 31, 200, 340, 352, 365, 379, 385, 720, 731, 744, 750];
    const rows = ages.map((age, i) =>
      row({
        timestamp: formatTimestamp(START - age * DAY_MS),
        temperature: age / 100,
        log_offset: ages.length - i,
      }),
    );
    const wanted = [0, 29, 352, 365, 379, 720, 731, 744];
    const [found] = await run("baseline", rows);
    expect(found).toMatchObject({ n: wanted.length, days: wanted.length, hour_of_day: 0 });
    expect(found?.mean).toBeCloseTo(wanted.reduce((a, b) => a + b) / 100 / wanted.length, 9);
  });

  test("leaves out what quality control failed, and keeps what is suspect", async () => {
    const rows = hourly(30, (hour, usual) => (hour % 24 !== 12 ? usual : hour > 500 ? 70 : usual));
    const failed = await query("SELECT count(*) AS n FROM quality WHERE temperature_flag = 4", rows);
    const noon = (await run("baseline", rows)).find((one) => one.hour_of_day === 12);
    expect(Number(failed[0]?.n)).toBeGreaterThanOrEqual(9);
    expect(noon?.n).toBe(21);
    expect(Number(noon?.median)).toBeLessThan(15);
  });

  test("begins anew at a station's move, which nothing before it is judged by", async () => {
    const moved = START + 12 * DAY_MS;
    const rows = hourly(20, (hour, usual) => (hour < 12 * 24 ? usual : usual + 15)).map((one) => ({
      ...one,
      source: "station:roof",
    }));
    const place = { latitude: 51, longitude: 0, elevation: 5, sensor: null };
    const periods = [START, moved].map((from) => ({ ...place, from: formatTimestamp(from) }));
    const stations = [{ id: "roof", city: "London", periods }];
    const noon = (found: readonly Cells[]) => found.find((one) => one.hour_of_day === 12);
    const before = noon(await run("baseline", rows));
    const after = noon(await run("baseline", rows, { stations }));
    expect(before).toMatchObject({ n: 20, first_timestamp: at(0) });
    expect(after).toMatchObject({ n: 8, first_timestamp: formatTimestamp(moved) });
    const judged = await kindOf("step", rows, { stations });
    expect(new Set(judged.slice(0, 12 * 24 + 1).map(({ status }) => status))).toEqual(
      new Set(["insufficient data"]),
    );
    expect(judged.filter(({ status }) => status === "anomaly")).toEqual([]);
    expect(judged.at(-1)?.status).toBe("normal");
    expect((await kindOf("step", rows)).filter(({ status }) => status === "anomaly")).toHaveLength(1);
    // What was kept from before the move says nothing of the new place.
    const table = { name: "baseline", sql: await keptSql(rows.filter((one) => one.timestamp < at(12 * 24))) };
    const stale = await kindOf("unusual", rows, { stations, views: [table] });
    const there = stale.filter(({ timestamp }) => String(timestamp) >= formatTimestamp(moved));
    expect(new Set(there.map(({ status }) => status))).toEqual(new Set(["insufficient data"]));
  });

  test("takes what was before the first report of a series from the source of its city that began first", async () => {
    const past = hourly(30, (_hour, usual) => usual).map((one) => ({
      ...one,
      source: "archive",
      ingested_at: at(31 * 24),
    }));
    const live = hourly(31, (hour, usual) => (hour === 733 ? usual + 20 : usual))
      .filter((_, hour) => hour >= 720)
      .map((one) => ({ ...one, source: "live" }));
    const rows = [...past, ...live];
    const usual = await run("baseline", rows);
    expect(usual.filter(({ source }) => source === "live")).toHaveLength(24);
    expect(usual.filter(({ days }) => Number(days) < 29)).toEqual([]);
    // Its own reports alone say how often it reports.
    expect(usual.find(({ source }) => source === "live")).toMatchObject({
      interval_minutes: 60,
      intervals: 23,
    });
    const found = (await query(ANOMALY, rows)).filter(({ status }) => status === "anomaly");
    expect(found.map(({ source, kind, timestamp }) => [source, kind, timestamp])).toEqual(
      expect.arrayContaining([["live", "unusual", at(733)]]),
    );
    // The archive has not fallen silent.
    expect(new Set(found.map(({ source }) => source))).toEqual(new Set(["live"]));
  });

  test("runs straight between the hours, so that reports of every ten minutes have no step on the hour", async () => {
    const rows = Array.from({ length: 15 * 144 }, (_, i) => {
      const day = (i % 144) / 144;
      return row({
        timestamp: formatTimestamp(START + i * 600_000),
        temperature: 10 + 16 * Math.abs(day - 0.5) + 0.01 * (i % 7),
        log_offset: i,
      });
    });
    const steps = (await kindOf("step", rows)).filter(({ status }) => status !== "insufficient data");
    expect(steps.length).toBeGreaterThan(2000);
    expect(Math.max(...steps.map(({ score }) => Math.abs(Number(score))))).toBeLessThan(0.2);
    expect((await kindOf("silent", rows))[0]).toMatchObject({ expected: 10, upper: 30 });
  });

  async function keptSql(rows: readonly Row[]): Promise<string> {
    const job = jobs.find(({ name }) => name === "baseline")!;
    const table = await runJob(engine, job, {
      snapshot: await folder.snapshot(rows),
      views: await viewsOf({}),
      background: true,
    });
    const kept = new KeptViews({
      views: await viewsOf({}),
      result: (name) => (name === "baseline" ? { run: crypto.randomUUID(), table } : undefined),
      folder: `${folder.path}/kept`,
    });
    return (await kept.list("baseline")).at(-1)!.sql;
  }
});

describe("anomaly", () => {
  test("finds a spike of one report once the next is there, on both sides, and calls neither step one", async () => {
    for (const by of [6, -6]) {
      const rows = hourly(20, (hour, usual) => (hour === 470 ? usual + by : usual));
      const spikes = await kindOf("spike", rows);
      const found = spikes.filter(({ status }) => status === "anomaly");
      expect(found.map(({ timestamp }) => timestamp)).toEqual([at(470)]);
      expect(found[0]).toMatchObject({ severity: 2, n: 479 });
      expect(Number(found[0]?.score)).toBeGreaterThan(3.5);
      expect(Math.abs(Number(found[0]?.observed) - Number(found[0]?.expected) - by)).toBeLessThan(0.6);
      expect((await kindOf("step", rows)).filter(({ status }) => status === "anomaly")).toEqual([]);
      expect(spikes.at(-1)?.timestamp).toBe(at(478));
      const early = await kindOf("spike", rows.slice(0, 471));
      expect(where(early, 470)).toBeUndefined();
    }
  });

  test("has bounds that a spike, a step and an unusual value lie outside of, and nothing else", async () => {
    const { rows } = taken(25, 7);
    const judged = (await query(ANOMALY, rows)).filter(
      ({ kind, status }) =>
        ["spike", "step", "unusual"].includes(String(kind)) && status !== "insufficient data",
    );
    let outside = 0;
    for (const { kind, observed, lower, upper, status, score } of judged) {
      const isOutside = Number(observed) > Number(upper) || Number(observed) < Number(lower);
      if (isOutside) outside++;
      // A step that is a spike's is not called one, though it is as large.
      if (kind !== "step" || score !== 0)
        expect({ kind, isOutside }).toEqual({ kind, isOutside: status === "anomaly" });
    }
    expect(outside).toBeGreaterThan(20);
  });

  test("finds the step to another level, and the step back", async () => {
    const rows = hourly(20, (hour, usual) => (hour >= 460 && hour < 466 ? usual + 8 : usual));
    const found = (await kindOf("step", rows)).filter(({ status }) => status === "anomaly");
    expect(found.map(({ timestamp, severity }) => [timestamp, severity])).toEqual([
      [at(460), 2],
      [at(466), 2],
    ]);
    expect(Number(found[0]?.score)).toBeGreaterThan(4);
    expect(Number(found[1]?.score)).toBeLessThan(-4);
  });

  test("says insufficient data of a step below 100 steps, or more than 6 h after the report before", async () => {
    const step = (hour: number, usual: number) => usual + (hour >= 90 ? 12 : 0);
    const early = (await kindOf("step", hourly(4, step))).map(({ status }) => status);
    expect(new Set(early)).toEqual(new Set(["insufficient data"]));
    const rows = hourly(20, (hour, usual) => usual + (hour >= 470 ? 12 : 0));
    const after = async (hours: number) => {
      const left = rows.filter((_, hour) => hour <= 470 - hours || hour >= 470);
      return where(await kindOf("step", left), 470);
    };
    expect(await after(7)).toMatchObject({ status: "insufficient data", score: null });
    // The longer the gap, the larger a step may be.
    expect(Number((await after(4))?.score)).toBeCloseTo(Number((await after(1))?.score) / 2, 0);
  });

  test("calls a value unusual from 3.5 on and alerts from 7 on, and judges from ten days of an hour on", async () => {
    const days = (count: number, last: number) =>
      Array.from({ length: count }, (_, day) =>
        row({
          timestamp: formatTimestamp(START + day * DAY_MS),
          temperature: day === count - 1 ? last : 10,
          log_offset: day,
        }),
      );
    const last = async (count: number, temperature: number) => {
      const found = (await kindOf("unusual", days(count, temperature))).at(-1);
      return [found?.score, found?.lower, found?.upper, found?.status, found?.severity, found?.n];
    };
    expect(await last(30, 11.5)).toEqual([3, 8.25, 11.75, "normal", null, 30]);
    expect(await last(30, 11.75)).toEqual([3.5, 8.25, 11.75, "anomaly", 1, 30]);
    expect(await last(30, 6.5)).toEqual([-7, 8.25, 11.75, "anomaly", 2, 30]);
    expect(await last(30, 15)).toEqual([10, 8.25, 11.75, "anomaly", 3, 30]);
    expect(await last(9, 30)).toEqual([40, 8.25, 11.75, "insufficient data", null, 9]);
    expect(await last(10, 30)).toEqual([40, 8.25, 11.75, "anomaly", 3, 10]);
  });

  test("finds a sensor that is stuck: shown after 6 h, an alert after 12, and not of few reports", async () => {
    const rows = hourly(3, (hour, usual) => (hour >= 30 && hour < 50 ? 12.3 : usual));
    const found = await kindOf("stuck", rows);
    const state = (hour: number) => {
      const one = where(found, hour);
      return [one?.observed, one?.status, one?.severity];
    };
    expect(state(35)).toEqual([5, "normal", null]);
    expect(state(36)).toEqual([6, "anomaly", 1]);
    expect(state(42)).toEqual([12, "anomaly", 2]);
    expect(state(50)).toEqual([0, "normal", null]);
    const seldom = hourly(3).filter((_, hour) => hour % 6 === 0);
    const same = seldom.map((one, i) => ({ ...one, temperature: i % 5 === 0 ? 9 : 8 }));
    expect((await kindOf("stuck", same)).filter(({ status }) => status === "anomaly")).toEqual([]);
  });

  test("finds a silence of three usual intervals: between reports, and up to the watermark", async () => {
    const rows = hourly(3).filter((_, hour) => hour < 40 || (hour > 43 && hour < 60));
    const other = hourly(3).map((one) => ({ ...one, city: "Oslo", log_offset: one.log_offset + 100 }));
    const london = (found: readonly Cells[]) => found.filter(({ city }) => city === "London");
    const found = london(await kindOf("silent", [...rows, ...other]));
    const silences = found.filter(({ status }) => status === "anomaly");
    expect(
      silences.map(({ timestamp, observed, expected, upper, unit }) => [
        timestamp,
        observed,
        expected,
        upper,
        unit,
      ]),
    ).toEqual([
      [at(39), 300, 60, 180, "min"],
      [at(59), 720, 60, 180, "min"],
    ]);
    // The live judge has the clock in the watermark's place.
    const watermark = valuesView("watermark", [["newest", "timestamp"]], [[START + 62 * HOUR_MS]]);
    const now = await kindOf("silent", rows, { views: [watermark] });
    expect(where(now, 59)).toMatchObject({ observed: 180, score: 3, status: "anomaly", severity: 2 });
    const early = valuesView("watermark", [["newest", "timestamp"]], [[START + 61 * HOUR_MS]]);
    expect(where(await kindOf("silent", rows, { views: [early] }), 59)).toMatchObject({ status: "normal" });
  });

  /** Reports of a city, some minutes apart, from one minute after the start to another. */
  const every = (city: string, minutes: number, from: number, to: number, source = "test"): Row[] =>
    Array.from({ length: Math.ceil((to - from) / minutes) }, (_, i) =>
      row({ city, source, timestamp: formatTimestamp(START + (from + i * minutes) * 60_000) }),
    );
  const numbered = (rows: readonly Row[]) => rows.map((one, i) => ({ ...one, log_offset: i }));
  const silences = async (rows: readonly Row[]) =>
    (await query(ANOMALY, numbered(rows)))
      .filter(({ kind, status }) => (kind === "silent" || kind === "outage") && status === "anomaly")
      .map(({ city, timestamp, kind, observed, expected, severity, n }) => [
        city,
        (Date.parse(String(timestamp)) - START) / 60_000,
        kind,
        observed,
        expected,
        severity,
        n,
      ]);

  test("judges a gap by the pace of its time: ten-minute history is not silent once reports come every two seconds", async () => {
    const history = every("London", 10, 0, 2880);
    const fast = every("London", 1 / 30, 2880, 2910);
    // Half a minute is no silence, whatever the pace.
    const later = every("London", 1 / 30, 2910.5, 2920);
    expect(await silences([...history, ...fast, ...later])).toEqual([]);
    // An hour is one, in the slow time and in the fast one.
    const gap = history.filter((_, i) => i < 60 || i > 65);
    const after = every("London", 1 / 30, 2970, 2990);
    const last = expect.closeTo(2910 - 1 / 30, 3);
    const minutes = expect.closeTo(60 + 1 / 30, 3);
    expect(await silences([...gap, ...fast, ...after])).toEqual([
      ["London", 590, "silent", 70, 10, 2, expect.any(Number)],
      ["London", last, "silent", minutes, 1, 3, expect.any(Number)],
    ]);
  });

  test("a series that slows down is silent until three reports tell its pace, and not at each one for days", async () => {
    const rows = [...every("London", 1, 0, 120), ...every("London", 30, 120, 600)];
    expect((await silences(rows)).map(([, minute]) => minute)).toEqual([120, 150]);
  });

  test("most series silent at once are one outage, the longest silence stands for it; one alone is silent", async () => {
    const cities = ["London", "Oslo", "Paris", "Rome", "Bern"];
    const rows = cities.flatMap((city, i) => [
      ...every(city, 5, i, 600),
      ...every(city, 5, 690 + i, city === "Rome" ? 900 : 1000 + i),
    ]);
    expect(await silences(rows)).toEqual([
      ["Bern", 599, "outage", 95, 5, 1, 5],
      ["Rome", 898, "silent", 101, 5, 2, 161],
    ]);
  });

  test("a source whose cities are silent at once has an outage of its own, and it is an alert while it lasts", async () => {
    const rows = ["London", "Oslo", "Paris"].flatMap((city, i) => [
      ...every(city, 5, i, 600, "one"),
      ...every(city, 5, i, 1000, "two"),
      ...every(city, 5, i, 1000, "three"),
    ]);
    expect((await silences(rows)).map(([, , kind, , , severity, n]) => [kind, severity, n])).toEqual([
      ["outage", 2, 3],
    ]);
  });

  test("a report whose time is ahead makes no other city silent, and is no report of its own", async () => {
    const rows = hourly(3);
    const oslo = hourly(3).map((one) => ({ ...one, city: "Oslo", log_offset: one.log_offset + 100 }));
    const ahead = {
      ...rows.at(-1)!,
      timestamp: formatTimestamp(START + (71 + 11) * HOUR_MS),
      temperature: 25,
      log_offset: 200,
      ingested_at: rows.at(-1)!.timestamp,
    };
    const [without, withIt] = [
      await query(ANOMALY, [...rows, ...oslo]),
      await query(ANOMALY, [...rows, ...oslo, ahead]),
    ];
    expectRows(withIt, without);
    expect(without.filter(({ kind, status }) => kind === "silent" && status === "anomaly")).toEqual([]);
    const baseline = "SELECT * FROM baseline ORDER BY city, hour_of_day";
    expectRows(await query(baseline, [...rows, ...oslo, ahead]), await query(baseline, [...rows, ...oslo]));
  });

  test("says nothing of temperature where there is none, but hears the report", async () => {
    const rows = hourly(2, (hour, usual) => (hour === 40 ? null : usual));
    const found = await query(ANOMALY, rows);
    expect(found.filter(({ timestamp }) => timestamp === at(40)).map(({ kind }) => kind)).toEqual(["silent"]);
    expect(
      where(
        found.filter(({ kind }) => kind === "step"),
        41,
      ),
    ).toBeDefined();
  });
});

describe("anomalies", () => {
  test("has the newest judged temperature of every city, and what is unusual of the last hours", async () => {
    const london = hourly(20, (hour, usual) => (hour === 300 || hour === 470 ? usual + 9 : usual));
    const oslo = hourly(12).map((one) => ({ ...one, city: "Oslo", log_offset: one.log_offset + 1000 }));
    const short = async (hours: number | null) =>
      (await run("anomalies", [...london, ...oslo], { arguments: { hours } })).map(
        ({ timestamp, city, kind, is_newest, is_anomaly }) => [timestamp, city, kind, is_newest, is_anomaly],
      );
    const recent = [
      [at(479), "London", "unusual", true, false],
      [at(470), "London", "spike", false, true],
      [at(470), "London", "unusual", false, true],
      // It is silent still.
      [at(287), "Oslo", "silent", false, true],
      [at(287), "Oslo", "unusual", true, false],
    ];
    expect(await short(48)).toEqual(recent);
    expect(await short(1)).toEqual([recent[0]!, ...recent.slice(3)]);
    expect(await short(null)).toEqual([
      ...recent.slice(0, 3),
      [at(300), "London", "spike", false, true],
      [at(300), "London", "unusual", false, true],
      ...recent.slice(3),
    ]);
  });

  test("has one newest judgement a city where two sources report at the same time", async () => {
    const found = await run("anomalies", [row({ source: "b" }), row({ source: "a", log_offset: 1 })]);
    expect(found.map(({ source, is_newest, status }) => [source, is_newest, status])).toEqual([
      ["a", true, "insufficient data"],
    ]);
  });

  test("has statistical bounds beside: mean, standard deviation and the plain z-score", async () => {
    const rows = hourly(20);
    const [found] = await run("anomalies", rows);
    const values = rows.filter((_, hour) => hour % 24 === 23).map(({ temperature }) => temperature!);
    const average = values.reduce((a, b) => a + b) / values.length;
    const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - average) ** 2, 0) / 19);
    expect(Number(found?.mean)).toBeCloseTo(average, 9);
    expect(Number(found?.stddev)).toBeCloseTo(deviation, 9);
    expect(Number(found?.z_classic)).toBeCloseTo((values.at(-1)! - average) / deviation, 9);
  });
});
