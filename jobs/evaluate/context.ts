import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { City } from "../../core/city.ts";
import { slugOf } from "../../core/slug.ts";
import { ConfigError, messageOf } from "../../core/errors.ts";
import type { Row } from "../../core/observation.ts";
import { readRecords } from "../sources/replay.ts";
import type { WritingEngine, SnapshotFile } from "../../spark/engine.ts";

/** What a part of the evaluation works with. */
export interface EvaluationContext {
  /** It may read `folder`. */
  engine: WritingEngine;
  /** Where the recorded observations lie. */
  dataFolder: string;
  /** For files under way; it is deleted afterwards. */
  folder: string;
  /** Whether other people's programs are run beside, where that is possible. */
  peers: boolean;
  /** Tells what is being done. */
  log: (line: string) => void;
}

/** A part of the evaluation's report. */
export interface Section {
  title: string;
  /** Without the title. */
  markdown: string;
}

/** The year of the cities that the evaluation is about. */
export interface CityYear {
  /** By name. Their time zones are not known: UTC. */
  cities: readonly City[];
  /** In time order. */
  rows: readonly Row[];
}

/** The year of hourly observations, and where its cities lie. */
const YEAR = { rows: "owm_hourly_24_cities.jsonl.gz", cities: "owm_24_cities.csv", source: "owm" } as const;

const years = new WeakMap<EvaluationContext, Promise<CityYear>>();

/**
 * Reads the year of the cities, once a context, by the reader that replays recordings.
 *
 * @throws ConfigError when a file is not there or cannot be read
 */
export function readCityYear(context: EvaluationContext): Promise<CityYear> {
  let year = years.get(context);
  if (year === undefined) years.set(context, (year = readYear(context)));
  return year;
}

async function readYear(context: EvaluationContext): Promise<CityYear> {
  const [header = [], ...lines] = await readCsv(context, YEAR.cities);
  const at = (name: string) => header.indexOf(name);
  const cities = lines.map((cells): City => {
    const name = cells[at("city")] ?? "";
    const latitude = Number(cells[at("lat")]);
    const longitude = Number(cells[at("lon")]);
    return { name, slug: slugOf(name), latitude, longitude, zone: "UTC" };
  });
  const rows: Row[] = [];
  try {
    const path = join(context.dataFolder, YEAR.rows);
    for await (const chunk of readRecords(path, { source: YEAR.source })) {
      for (const { value } of chunk) {
        const row = JSON.parse(value) as Row;
        rows.push({ ...row, log_offset: rows.length, ingested_at: row.timestamp });
      }
    }
  } catch (cause) {
    throw unreadable(context, YEAR.rows, cause);
  }
  cities.sort((a, b) => (a.name < b.name ? -1 : 1));
  context.log(`${rows.length} observations of ${cities.length} cities`);
  return { cities, rows };
}

/**
 * Reads a CSV file of the data folder that has no quotes in it.
 *
 * @returns its lines' cells, the header first
 * @throws ConfigError when it is not there or cannot be read
 */
export async function readCsv(context: EvaluationContext, name: string): Promise<string[][]> {
  try {
    const text = await readFile(join(context.dataFolder, name), "utf8");
    return text.split(/\r?\n/).flatMap((line) => (line === "" ? [] : [line.split(",")]));
  } catch (cause) {
    throw unreadable(context, name, cause);
  }
}

function unreadable({ dataFolder }: EvaluationContext, name: string, cause: unknown): ConfigError {
  return new ConfigError(
    "bad_setting",
    `Cannot read ${name} in ${dataFolder}: ${messageOf(cause)}; wanted the folder of the evaluation's data`,
    { cause, hint: "Say where it lies: bun run evaluate --data FOLDER" },
  );
}

/**
 * Writes rows as the lake holds closed days: a Parquet file each, in the order of the days.
 *
 * @param name of a folder of its own
 */
export async function writeDays(
  context: EvaluationContext,
  name: string,
  rows: readonly Row[],
): Promise<SnapshotFile[]> {
  const folder = join(context.folder, name);
  await mkdir(folder, { recursive: true });
  const days = Map.groupBy(rows, ({ timestamp }) => timestamp.slice(0, 10));
  const files: SnapshotFile[] = [];
  for (const [date, own] of [...days].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const facts = { date, rows: own.length, revisions: 0 };
    const lines = { ...facts, location: join(folder, `${date}.jsonl`), format: "jsonl" } as const;
    await Bun.write(lines.location, own.map((row) => `${JSON.stringify(row)}\n`).join(""));
    const { bytes } = await context.engine.compact({ files: [lines] });
    await Bun.file(lines.location).delete();
    const location = join(folder, `${date}.parquet`);
    await Bun.write(location, bytes);
    files.push({ ...facts, location, format: "parquet" });
  }
  return files;
}
