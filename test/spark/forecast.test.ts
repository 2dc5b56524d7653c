import { describe, expect, test } from "bun:test";
import { RecordBatch, Table, tableFromIPC } from "apache-arrow";
import type { Row } from "../../core/observation.ts";
import { formatTimestamp, HOUR_MS } from "../../core/time.ts";
import { rowsOf, tableToBytes } from "../../spark/arrow.ts";
import { tableOf } from "../../spark/models/columns.ts";
import { forecastModel } from "../../spark/models/forecast.ts";
import { RollingForecast } from "../../spark/models/rolling-forecast.ts";
import { jobRunner } from "./jobs.ts";
import { randomFrom, row, START } from "../support/lake-files.ts";

const DAY = 24;
const LEADS = 48;
const COLUMNS =
  "city source issued_at lead timestamp temperature lower upper persistence seasonal_naive method n n_other coverage status";

const at = (hour: number, minute = 0) => formatTimestamp(START + hour * HOUR_MS + minute * 60_000);

/** °C of each hour, the same for the same hour. */
const temperatures = (() => {
  const random = randomFrom(11);
  let departure = 0;
  return Float64Array.from({ length: 100 * DAY }, (_, hour) => {
    departure = 0.95 * departure + random() + random() - 1;
    return Math.round(100 * (8 + 4 * Math.sin((2 * Math.PI * hour) / DAY) + departure)) / 100;
  });
})();

/** Hourly rows from one hour up to, not including, another. */
function hourly(from: number, to: number, changes: Partial<Row> = {}, minute = 0): Row[] {
  return Array.from({ length: to - from }, (_, i) =>
    row({
      timestamp: at(from + i, minute),
      ingested_at: at(from + i, minute),
      temperature: temperatures[from + i]!,
      ...changes,
    }),
  );
}

const numbered = (rows: readonly Row[]) => rows.map((one, log_offset) => ({ ...one, log_offset }));

describe("forecast", () => {
  const run = jobRunner("forecast");
  const of = async (rows: readonly Row[], given = {}) => run(numbered(rows), given);

  test("gives each city 48 leads with what the model says of its last 60 days, and both references", async () => {
    const end = 65 * DAY + 10;
    const found = await of([...hourly(0, end), ...hourly(0, end, { city: "Aachen" })]);
    expect(Object.keys(found[0]!).join(" ")).toBe(COLUMNS);
    expect(found.map(({ city }) => city)).toEqual([
      ...new Array<string>(LEADS).fill("Aachen"),
      ...new Array<string>(LEADS).fill("London"),
    ]);
    const model = new RollingForecast();
    for (let hour = end - 60 * DAY; hour < end; hour++)
      model.observe(START / HOUR_MS + hour, temperatures[hour]!);
    const issue = model.latest!;
    for (const [i, one] of found.slice(LEADS).entries()) {
      const lead = i + 1;
      expect(one).toEqual({
        city: "London",
        source: "test",
        issued_at: at(end - 1),
        lead,
        timestamp: at(end - 1 + lead),
        temperature: issue.temperature[i]!,
        lower: issue.temperature[i]! - issue.halfWidth[i]!,
        upper: issue.temperature[i]! + issue.halfWidth[i]!,
        persistence: temperatures[end - 1]!,
        seasonal_naive: temperatures[end - 1 + lead - (lead <= DAY ? DAY : 2 * DAY)]!,
        method: "harmonics + AR",
        n: 60 * DAY,
        n_other: 0,
        coverage: model.coverage(lead),
        status: "ok",
      });
    }
    expect(found.slice(0, LEADS)).toEqual(found.slice(LEADS).map((one) => ({ ...one, city: "Aachen" })));
  });

  test("says insufficient data until the errors of a week are known, lead by lead", async () => {
    const statuses = async (days: number) => {
      const found = await of(hourly(0, days * DAY));
      for (const { status, temperature, lower, upper, method, persistence } of found) {
        for (const value of [temperature, lower, upper, method]) expect(value === null).toBe(status !== "ok");
        expect(persistence).toBe(temperatures[days * DAY - 1]!);
      }
      return found.map(({ status }) => status);
    };
    expect(new Set(await statuses(2))).toEqual(new Set(["insufficient data"]));
    const eleven = await statuses(11);
    expect(eleven.slice(0, 24)).toEqual(new Array<string>(24).fill("ok"));
    expect(eleven.slice(26)).toEqual(new Array<string>(22).fill("insufficient data"));
    expect(new Set(await statuses(13))).toEqual(new Set(["ok"]));
  });

  test("takes of each hour the observation nearest to it: 15 minutes before it to 44 after", async () => {
    const end = 15 * DAY;
    const plain = await of(hourly(0, end));
    const other = (minute: number) =>
      hourly(0, end, {}, minute).map((one) => ({ ...one, temperature: one.temperature! + 0.1 }));
    const many = [...hourly(0, end, {}, 2), ...other(-4), ...other(3), ...other(44)];
    expect(await of(many)).toEqual(plain);
    const report = await of(hourly(0, end, {}, -7));
    expect(report).toEqual(plain);
    expect(report[0]).toMatchObject({ issued_at: at(end - 1) });
    const late = await of(hourly(0, end, {}, 44));
    expect(late).toEqual(plain);
  });

  test("leaves out what failed quality control, and what is missing", async () => {
    const end = 40 * DAY;
    const rows = hourly(0, end);
    const without = rows.filter((_, hour) => hour % 100 !== 50);
    const failed = rows.map((one, hour) => (hour % 100 === 50 ? { ...one, temperature: 85 } : one));
    const missing = rows.map((one, hour) => (hour % 100 === 50 ? { ...one, temperature: null } : one));
    const wanted = await of(without);
    expect(wanted[0]).toMatchObject({ n: end - 10, status: "ok" });
    expect(await of(failed)).toEqual(wanted);
    expect(await of(missing)).toEqual(wanted);
  });

  test("takes one source a city: of those that still report the longest record", async () => {
    const end = 30 * DAY;
    const long = hourly(0, end, { source: "b" });
    const alone = await of(long);
    const warm = (from: number, to: number, source: string) =>
      hourly(from, to, { source }).map((one) => ({ ...one, temperature: one.temperature! + 3 }));
    expect(await of([...long, ...warm(end - 20 * DAY, end, "a")])).toEqual(alone);
    expect(await of([...long, ...warm(0, end - 7, "a")])).toEqual(alone);
    // Ten hours after the one has stopped the other is taken, though its record is shorter.
    const after = await of([...hourly(0, end - 10, { source: "b" }), ...warm(5 * DAY, end, "a")]);
    expect(after[0]).toMatchObject({
      source: "a",
      issued_at: at(end - 1),
      persistence: temperatures[end - 1]! + 3,
    });
  });

  test("an archive gives a new source a past", async () => {
    const end = 50 * DAY;
    const live = hourly(end - 10, end, { source: "live" });
    expect((await of(live))[0]).toMatchObject({ status: "insufficient data", n: 10 });
    const archive = hourly(0, end - 5 * DAY, { source: "archive" });
    const short = hourly(end - 3 * DAY, end - 2 * DAY, { source: "b" });
    const found = await of([...archive, ...short, ...live]);
    const facts = { source: "live", n: 45 * DAY + 10, n_other: 45 * DAY, issued_at: at(end - 1) };
    expect(found[0]).toMatchObject({ ...facts, status: "ok", method: "damped anomaly" });
    expect(new Set(found.map(({ status }) => status))).toEqual(new Set(["ok"]));
    // What the archive says of hours that the source has itself is not used.
    const longer = [...archive, ...hourly(end - 5 * DAY, end - 7, { source: "archive" })];
    const joined = await of([...longer, ...live.map((one) => ({ ...one, temperature: 9 }))]);
    expect(joined[0]).toMatchObject({ n: end, n_other: end - 10, persistence: 9, method: "harmonics + AR" });
  });

  test("says silent where the forecast would lie before the newest observation of others", async () => {
    const end = 40 * DAY;
    const found = await of([...hourly(0, end), ...hourly(0, end - 49, { city: "Lost" })]);
    const lost = found.filter(({ city }) => city === "Lost");
    expect(lost.length).toBe(LEADS);
    for (const one of lost) {
      expect(one).toMatchObject({
        status: "silent",
        temperature: null,
        persistence: null,
        seasonal_naive: null,
      });
      expect(one).toMatchObject({ issued_at: at(end - 50), n: end - 49 });
    }
    expect((await of([...hourly(0, end), ...hourly(0, end - 48, { city: "Late" })]))[0]).toMatchObject({
      city: "Late",
      status: "ok",
    });
  });

  test("reads as many days as it is told, and of nothing makes nothing", async () => {
    const rows = hourly(0, 70 * DAY);
    expect((await of(rows, { days: 20 }))[0]).toMatchObject({ n: 20 * DAY });
    expect((await of(rows, { days: null }))[0]).toMatchObject({ n: 70 * DAY });
    expect(await of([])).toEqual([]);
  });
});

describe("forecastModel()", () => {
  const hours = 30 * DAY;
  const input = (cities: number) => {
    const length = cities * hours;
    return tableOf({
      city: { type: "text", values: Array.from({ length }, (_, i) => `City ${Math.floor(i / hours) + 10}`) },
      source: { type: "text", values: new Array<string>(length).fill("test") },
      hour: {
        type: "timestamp",
        values: Float64Array.from({ length }, (_, i) => START + (i % hours) * HOUR_MS),
      },
      temperature: {
        type: "double",
        values: Float64Array.from({ length }, (_, i) => temperatures[(i % hours) + Math.floor(i / hours)]!),
      },
    });
  };

  test("gives the same of one batch and of many", async () => {
    const whole = await input(3);
    const wanted = await forecastModel(whole);
    const parts: RecordBatch[] = [];
    for (let i = 0; i < whole.numRows; i += 500) parts.push(...whole.slice(i, i + 500).batches);
    const batched = tableFromIPC(tableToBytes(new Table(whole.schema, parts), "stream"));
    expect(batched.batches.length).toBeGreaterThan(2);
    const found = await forecastModel(batched);
    expect(rowsOf(found)).toEqual(rowsOf(wanted));
    expect(wanted.numRows).toBe(3 * LEADS);
  });

  test("lets others work meanwhile", async () => {
    let turns = 0;
    let working = true;
    const other = (async () => {
      while (working) {
        await new Promise((turn) => setImmediate(turn));
        turns++;
      }
    })();
    await forecastModel(await input(20));
    working = false;
    await other;
    expect(turns).toBeGreaterThan(20);
  });

  test("stops when it is told to", async () => {
    const stop = new AbortController();
    const running = forecastModel(await input(20), stop.signal);
    setImmediate(() => stop.abort());
    await expect(running).rejects.toMatchObject({ name: "EngineError", code: "cancelled" });
    await expect(forecastModel(await input(1), AbortSignal.abort())).rejects.toMatchObject({
      code: "cancelled",
    });
  });
});
