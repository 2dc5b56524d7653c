import { describe, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defaultArguments, parseSqlJob, readSqlJobs } from "../../spark/sql-job.ts";

const HEADER = ["-- title: A title", "-- answers: What is it?", "-- schedule: default"];
const job = (lines: string[], sql = "SELECT 1 AS one") => parseSqlJob("x.sql", [...lines, sql].join("\n"));

describe("parseSqlJob()", () => {
  test("reads the header and keeps the text", () => {
    const text = [
      ...HEADER,
      "-- chart: line x=hour y=t_3h series=city",
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
    ];
    for (const [header, sql, message] of cases) expect(() => job(header, sql)).toThrow(message);
  });
});

describe("readSqlJobs()", () => {
  test("reads the program's own jobs", async () => {
    const names = (await readSqlJobs()).map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining(["city_statistics", "hourly_trends", "temperature_anomalies"]),
    );
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
