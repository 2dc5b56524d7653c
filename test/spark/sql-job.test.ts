import { describe, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatTimestamp, HOUR_MS } from "../../core/time.ts";
import { rowsOf } from "../../spark/arrow.ts";
import { openDuckDb } from "../../spark/duckdb.ts";
import type { SnapshotFile } from "../../spark/engine.ts";
import { defaultArguments, neededFiles, parseSqlJob, readSqlJobs } from "../../spark/sql-job.ts";
import { analysisViews } from "../../spark/views.ts";
import { expectRows } from "./reference.ts";
import { LakeFolder, randomFrom, row, START } from "../support/lake-files.ts";

const HEADER = ["-- title: A title", "-- answers: What is it?", "-- schedule: default"];
const job = (lines: string[], sql = "SELECT 1 AS one") => parseSqlJob("x.sql", [...lines, sql].join("\n"));

describe("parseSqlJob()", () => {
  test("reads the header and keeps the text", () => {
    const text = [
      ...HEADER,
      "-- chart: line x=hour y=t_3h series=city",
      "-- keeps: every 12th of 600",
      "-- note: First line: of two,",
      "-- note: as `Markdown`.",
      "-- parameter: hours integer 168 Hours back; null for all",
      "-- parameter: share number 0.5 A share",
      "-- parameter: city text null A city",
      "-- parameter: all boolean true Everything",
      "",
      "-- not: a header any more",
      "SELECT :hours AS h, :share AS s, :city AS c, :all AS a",
    ].join("\n");
    const parsed = parseSqlJob("some_job.sql", text);
    expect(parsed).toMatchObject({
      name: "some_job",
      title: "A title",
      question: "What is it?",
      schedule: "default",
      chart: "line x=hour y=t_3h series=city",
      keeps: { every: 12, of: 600 },
      note: "First line: of two,\nas `Markdown`.",
      sql: text,
    });
    expect(parsed.parameters[0]).toEqual({
      name: "hours",
      type: "integer",
      value: 168,
      description: "Hours back; null for all",
    });
    expect(defaultArguments(parsed)).toEqual({ hours: 168, share: 0.5, city: null, all: true });
  });

  test("takes a cron expression or none as the schedule, and no chart", () => {
    expect(job(HEADER.with(2, "-- schedule: */5 * * * *"))).toMatchObject({
      schedule: "*/5 * * * *",
      chart: null,
    });
    expect(job(HEADER.with(2, "-- schedule: none")).schedule).toBeNull();
  });

  test("names the file and the line of what is wrong", () => {
    const cases: [string[], string | undefined, RegExp][] = [
      [HEADER.slice(1), undefined, /^x\.sql:3: the header has no "-- title:" line/],
      [[...HEADER, "-- titel: x"], undefined, /^x\.sql:4: "titel" is not known/],
      [[...HEADER, "-- title: x"], undefined, /^x\.sql:4: title stands there twice/],
      [[...HEADER, "-- some words"], undefined, /^x\.sql:4: header line is/],
      [[...HEADER, "-- chart:"], undefined, /^x\.sql:4: chart has no value/],
      [[...HEADER, "-- model: guess"], undefined, /^x\.sql:4: model is "guess", wanted one of/],
      [[...HEADER, "-- keeps: hourly"], undefined, /^x\.sql:4: keeps is "hourly", wanted results such as/],
      [[...HEADER, "-- keeps: every 0th of 600"], undefined, /^x\.sql:4: keeps is/],
      [[...HEADER, "-- chart: line x"], undefined, /^x\.sql:4: chart is/],
      [HEADER.with(2, "-- schedule: 61 * * * *"), undefined, /^x\.sql:3: schedule is "61 \* \* \* \*"/],
      [HEADER.with(2, "-- schedule: 0 0 30 2 *"), undefined, /never comes due/],
      [
        [...HEADER, "-- parameter: hours integer 1.5 Hours"],
        "SELECT :hours",
        /^x\.sql:4: default of "hours"/,
      ],
      [[...HEADER, "-- parameter: hours hour 1 Hours"], "SELECT :hours", /^x\.sql:4: type of "hours"/],
      [[...HEADER, "-- parameter: hours integer 1"], "SELECT :hours", /^x\.sql:4: parameter is/],
      [
        [...HEADER, "-- parameter: hours integer 1 Hours"],
        undefined,
        /^x\.sql:4: the parameter "hours" is not used/,
      ],
      [HEADER, "SELECT\n  :hours", /^x\.sql:5: :hours has no "-- parameter:" line/],
      [[...HEADER, "-- window: years"], undefined, /^x\.sql:4: window is "years", wanted hours or days/],
      [
        [...HEADER, "-- window: hours"],
        undefined,
        /^x\.sql: the window "hours" is no parameter of type integer/,
      ],
    ];
    for (const [header, sql, message] of cases) expect(() => job(header, sql)).toThrow(message);
  });
});

describe("readSqlJobs()", () => {
  test("reads the program's own jobs", async () => {
    const names = (await readSqlJobs()).map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(["anomalies", "city_statistics", "hourly_trends"]));
  });

  test("takes whatever .sql file lies in the folder", async () => {
    const folder = await mkdtemp(join(tmpdir(), "isobar-test-"));
    await writeFile(join(folder, "b.sql"), `${HEADER.join("\n")}\nSELECT 1 AS b`);
    await writeFile(join(folder, "a.sql"), `${HEADER.join("\n")}\nSELECT 1 AS a`);
    await writeFile(join(folder, "notes.txt"), "x");
    expect((await readSqlJobs(folder)).map(({ name }) => name)).toEqual(["a", "b"]);
    await writeFile(join(folder, "A b.sql"), "");
    await expect(readSqlJobs(folder)).rejects.toThrow(/^A b\.sql: the name of a job/);
    await rm(folder, { recursive: true });
  });
});

describe("neededFiles()", () => {
  const HOURS = ["-- window: hours", "-- parameter: hours integer 48 Hours"];
  const DAYS = ["-- window: days", "-- parameter: days integer 10 Days"];
  const day = (n: number) => new Date(Date.UTC(2026, 0, 1 + n)).toISOString().slice(0, 10);
  // Not in order, and a day in two files.
  const files = [5, 3, 99, 3, ...Array.from({ length: 99 }, (_, n) => n)].map((n, index): SnapshotFile => ({
    location: `${index}`,
    format: "jsonl",
    date: day(n),
    rows: 1,
    revisions: 0,
  }));
  const oldest = (header: string[], given?: Record<string, number | null>) => {
    const sql = header.length === 0 ? undefined : header === HOURS ? "SELECT :hours" : "SELECT :days";
    const { files: needed } = neededFiles(job([...HEADER, ...header], sql), { files }, given);
    const dates = needed.map(({ date }) => date);
    expect(files.filter(({ date }) => dates.includes(date))).toEqual([...needed]);
    return dates.toSorted()[0];
  };

  test("are those of the window and of a month before it", () => {
    expect(oldest(HOURS)).toBe(day(99 - 2 - 31));
    expect(oldest(HOURS, { hours: 49 })).toBe(day(99 - 3 - 31));
    expect(oldest(DAYS)).toBe(day(99 - 10 - 31));
    expect(oldest(DAYS, { days: 200 })).toBe(day(0));
  });

  test("are all of them without a window, without a bound, and of an empty lake", () => {
    expect(oldest([])).toBe(day(0));
    expect(oldest(HOURS, { hours: null })).toBe(day(0));
    expect(neededFiles(job([...HEADER, ...HOURS], "SELECT :hours"), { files: [] }).files).toEqual([]);
  });
});

describe("a job with a window", () => {
  test("gives the same rows from the files it needs as from all of them", async () => {
    const folder = await LakeFolder.make();
    const engine = await openDuckDb({ tempFolder: folder.path, threads: 2 });
    const random = randomFrom(3);
    const rows = Array.from({ length: 110 * 24 }, (_, hour) => {
      const timestamp = formatTimestamp(START + hour * HOUR_MS);
      const temperature = Math.round(100 + 50 * Math.sin(hour / 4) + 40 * random()) / 10;
      return row({ timestamp, ingested_at: timestamp, log_offset: hour, temperature });
    });
    const snapshot = await folder.snapshot(rows);
    const views = await analysisViews({ cities: [] });
    for (const one of (await readSqlJobs()).filter(({ window }) => window !== null)) {
      const given = defaultArguments(one);
      expect(neededFiles(one, snapshot).files.length).toBeLessThan(snapshot.files.length);
      const all = await engine.query(one.sql, { snapshot, views, arguments: given });
      const needed = await engine.query(one.sql, {
        snapshot: neededFiles(one, snapshot),
        views,
        arguments: given,
      });
      expectRows(rowsOf(needed), rowsOf(all));
      expect(needed.numRows).toBeGreaterThan(0);
    }
    await engine.close();
    await folder.remove();
  });
});
