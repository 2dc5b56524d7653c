import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { silentLogger } from "../../../core/log.ts";
import type { Row } from "../../../core/observation.ts";
import { FLAG_COLUMNS, type Judgement } from "../../../core/quality.ts";
import { HOUR_MS, parseTimestamp } from "../../../core/time.ts";
import { Judge } from "../../../jobs/analytics/judge.ts";
import { assemble } from "../../../jobs/analytics/judgements.ts";
import { KeptViews } from "../../../jobs/analytics/kept-views.ts";
import { rowsOf } from "../../../spark/arrow.ts";
import { openDuckDb } from "../../../spark/duckdb.ts";
import type { WritingEngine } from "../../../spark/engine.ts";
import { JUDGED_PAST_MS } from "../../../spark/judging.ts";
import { readSqlJobs, runJob } from "../../../spark/sql-job.ts";
import { valuesView } from "../../../spark/values.ts";
import { analysisViews } from "../../../spark/views.ts";
import { faultyWeather, QUALITY_CITIES, QUALITY_STATIONS } from "../../spark/quality-data.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { LakeFolder, randomFrom } from "../../support/lake-files.ts";

let folder: LakeFolder;
let engine: WritingEngine;
beforeAll(async () => {
  folder = await LakeFolder.make();
  engine = await openDuckDb({ tempFolder: join(folder.path, "duckdb"), threads: 2 });
});
afterAll(async () => {
  await engine.close();
  await folder.remove();
});

const keyOf = ({ city, source, timestamp }: { city: string; source: string; timestamp: string }) =>
  JSON.stringify([city, source, parseTimestamp(timestamp)]);

test("Judge.judge() says of each report what the views say over the 25 h of files before it, late, revised, doubled and retracted ones", async () => {
  const views = await analysisViews({ cities: QUALITY_CITIES, stations: QUALITY_STATIONS });
  const rows = faultyWeather(7).toSorted(
    (a, b) => parseTimestamp(a.ingested_at) - parseTimestamp(b.ingested_at) || a.log_offset - b.log_offset,
  );
  const snapshot = await folder.snapshot(rows);
  const results = new Map<string, { run: string; table: Awaited<ReturnType<typeof runJob>> }>();
  for (const job of await readSqlJobs())
    if (["baseline", "level"].includes(job.name))
      results.set(job.name, { run: "1", table: await runJob(engine, job, { snapshot, views }) });
  const isJob = new Set((await readSqlJobs()).map(({ name }) => name));
  const keptViews = new KeptViews({
    views,
    result: (job) => results.get(job) ?? (isJob.has(job) ? null : undefined),
    folder: join(folder.path, "duckdb", "kept"),
  });
  const clock = new FakeClock(parseTimestamp(rows[0]!.ingested_at));
  const judge = new Judge({
    reader: { snapshot: async () => ({ snapshot: { files: [] }, commits: {}, watermark: null }) },
    engine,
    views: () => keptViews.list(),
    isLive: true,
    folder: join(folder.path, "judge"),
    clock,
    logger: silentLogger,
    publish: () => {},
  });
  const random = randomFrom(9);
  let there: Row[] = [];
  let judged = 0;
  const seen = { revised: 0, retracted: 0, late: 0 };
  let offset = Math.max(...rows.map(({ log_offset }) => log_offset));
  let newest = -Infinity;
  for (let start = 0; start < rows.length; start += 60) {
    const chunk: Row[] = [];
    for (const row of rows.slice(start, start + 60)) {
      chunk.push(row);
      if (random() < 0.05) chunk.push({ ...row, log_offset: ++offset }); // the same again
      if (random() < 0.05) {
        seen.revised++;
        chunk.push({ ...row, temperature: (row.temperature ?? 0) + 12, log_offset: ++offset });
      }
    }
    await clock.advance(Math.max(0, parseTimestamp(chunk.at(-1)!.ingested_at) - clock.now()));
    judge.take(chunk);
    there = [...there.filter((row) => !chunk.some((one) => keyOf(one) === keyOf(row))), ...chunk];
    if (random() < 0.7) {
      const gone = there[Math.floor(random() * there.length)]!;
      const isGone = ({ source, log_offset }: Pick<Row, "source" | "log_offset">) =>
        source === gone.source && log_offset === gone.log_offset;
      judge.withdraw(isGone);
      there = there.filter((row) => !isGone(row));
      seen.retracted++;
    }
    newest = Math.max(newest, ...chunk.map(({ timestamp }) => parseTimestamp(timestamp)));
    seen.late += chunk.filter(({ timestamp }) => newest - parseTimestamp(timestamp) > HOUR_MS).length;
    const left = chunk.filter((row) => there.some(({ log_offset }) => log_offset === row.log_offset));
    const found = await judge.judge(left);
    const asked = left
      .map(({ timestamp }) => parseTimestamp(timestamp))
      .filter((ms) => ms >= newest - JUDGED_PAST_MS);
    const from = Math.min(...asked) - JUDGED_PAST_MS;
    const wanted = await batchOf(
      there.filter(({ timestamp }) => parseTimestamp(timestamp) >= from),
      found,
    );
    expect(found.map(comparable)).toEqual(wanted.map(comparable));
    judged += found.length;
  }
  expect(judged).toBeGreaterThan(rows.length / 2);
  for (const count of Object.values(seen)) expect(count).toBeGreaterThan(10);
  await judge.close();

  /** What the views say of some reports, over all that are there, in the order given. */
  async function batchOf(all: readonly Row[], asked: readonly Judgement[]): Promise<Judgement[]> {
    const newestOf = new Map<string, Row>();
    for (const row of all)
      if ((newestOf.get(keyOf(row))?.log_offset ?? -1) < row.log_offset) newestOf.set(keyOf(row), row);
    const given = {
      snapshot: await folder.snapshot([...newestOf.values()]),
      views: (await keptViews.list()).map((view) =>
        view.name === "watermark"
          ? valuesView("watermark", [["newest", "timestamp"]], [[clock.now()]])
          : view.name === "outages"
            ? {
                name: "outages",
                sql: "SELECT *, CAST(NULL AS string) AS outage, 1 AS place_in_outage, 1 AS series_of_outage FROM measured",
              }
            : view,
      ),
    };
    const wanted = new Set(asked.map(keyOf));
    const rowsAsked = async (sql: string) =>
      rowsOf(await engine.query(sql, given)).filter((row) => wanted.has(keyOf(row as never)));
    const flagged = await rowsAsked(
      `SELECT city, source, timestamp, log_offset, ${FLAG_COLUMNS.join(", ")} FROM quality`,
    );
    const anomalies = await rowsAsked("SELECT * FROM anomaly WHERE kind = 'unusual' OR status = 'anomaly'");
    const judgements = new Map(assemble(flagged, anomalies, true).map((one) => [keyOf(one), one]));
    return asked.map((one) => judgements.get(keyOf(one))!);
  }
}, 120_000);

/** A judgement without what a longer past may tell more of: for how long a value has stood still, and since how many reports. */
function comparable({ anomalies, usual, ...judgement }: Judgement): unknown {
  const rounded = (value: number | null | undefined) =>
    value == null ? value : Number(value.toPrecision(9));
  return {
    ...judgement,
    usual: usual && {
      ...usual,
      expected: rounded(usual.expected),
      score: rounded(usual.score),
      lower: rounded(usual.lower),
      upper: rounded(usual.upper),
    },
    anomalies: anomalies
      .map(({ kind, severity, status, variable }) => [kind, variable, severity, status].join(" "))
      .sort(),
  };
}
