import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { City } from "../../core/city.ts";
import type { Observation } from "../../core/observation.ts";
import { DAY_MS, formatTimestamp, HOUR_MS } from "../../core/time.ts";
import type { FaultRates } from "../../jobs/sources/faults.ts";
import { simulatedRecords } from "../../jobs/sources/simulator.ts";
import { openDuckDb } from "../../spark/duckdb.ts";
import { inputsOf } from "../../jobs/readers/judged-rows.ts";
import type { Snapshot, SnapshotFile } from "../../spark/engine.ts";
import { judgingBy, judgingMark } from "../../spark/judging.ts";
import { analysisViews } from "../../spark/views.ts";

/** Days that are judged together: a month of 1,000 cities. */
const TOGETHER = 30;

/**
 * Hourly simulated rows of some cities from `from` on as the lake has them: a Parquet file a day with its flags, made by the
 * product's own compaction of what its consumer writes.
 *
 * @returns the files, and how long the judging of all days took, s
 */
export async function writeDays(
  folder: string,
  options: { cities: readonly City[]; from: number; days: number; faults?: FaultRates },
): Promise<{ snapshot: Snapshot; judging: number }> {
  const { cities, from, days, faults } = options;
  const judging = judgingBy(await analysisViews({ cities }));
  const lake = join(folder, "lake");
  await mkdir(lake, { recursive: true });
  const duckDb = await openDuckDb({ tempFolder: join(folder, "duckdb") });
  const files: SnapshotFile[] = [];
  try {
    for (let day = 0; day < days; day++) {
      const start = from + day * DAY_MS;
      const date = formatTimestamp(start).slice(0, 10);
      const lines: string[] = [];
      const load = { cities, from: start, to: start + DAY_MS, stepMs: HOUR_MS, seed: 1, faults };
      for (const chunk of simulatedRecords(load)) {
        for (const { value } of chunk) {
          const offset = day * cities.length * 24 + lines.length;
          // It arrives at once: quality control looks at that.
          const { timestamp } = JSON.parse(value) as Observation;
          lines.push(`${value.slice(0, -1)},"log_offset":${offset},"ingested_at":"${timestamp}"}\n`);
        }
      }
      const jsonl = join(lake, `${date}.jsonl`);
      await writeFile(jsonl, lines.join(""));
      const file: SnapshotFile = { location: jsonl, format: "jsonl", date, rows: lines.length, revisions: 0 };
      const location = join(lake, `${date}.parquet`);
      await writeFile(location, (await duckDb.compact({ files: [file] })).bytes);
      await rm(jsonl);
      files.push({ ...file, location, format: "parquet" });
    }
    const started = performance.now();
    const judged: SnapshotFile[] = [];
    for (let day = 0; day < days; day += TOGETHER) {
      const part = files.slice(day, day + TOGETHER);
      const input = { ...inputsOf(files, part), views: judging.views };
      const written = await duckDb.judge(
        part.map((file) => ({ files: [file] })),
        input,
      );
      for (const [index, file] of part.entries()) {
        const location = file.location.replace(".parquet", "-judged.parquet");
        await writeFile(location, written[index]!.bytes);
        judged.push({ ...file, location, judged: judgingMark(judging) });
      }
    }
    return { snapshot: { files: judged }, judging: (performance.now() - started) / 1000 };
  } finally {
    await duckDb.close();
  }
}
