// One flat-out run over simulated records, in a process of its own. Argument: an IngestRun as JSON; prints an IngestReport.
import { Database } from "bun:sqlite";
import { mkdir, open, rename } from "node:fs/promises";
import { join } from "node:path";
import { systemClock } from "../../core/clock.ts";
import { silentLogger } from "../../core/log.ts";
import { HOUR_MS } from "../../core/time.ts";
import type { Lake } from "../../jobs/lake/lake.ts";
import type { NewRecord } from "../../jobs/log/log.ts";
import { simulatedRecords, syntheticCities } from "../../jobs/sources/simulator.ts";
import { loadConfig } from "../../server/config/config.ts";
import { loadRecords } from "../../server/wiring/bulk-load.ts";
import { openPorts } from "../../server/wiring/ports.ts";
import type { IngestReport, IngestRun } from "./ingest.ts";

const FROM = Date.UTC(2025, 0, 1);
/** Files written at once, as the local lake does. */
const PARALLEL = 16;

const task = JSON.parse(process.argv[2] ?? "") as IngestRun;
const report = await {
  source: readAll,
  sqlite: intoSqlite,
  files: intoFiles,
  isobar: intoLake,
}[task.what]();
process.stdout.write(JSON.stringify(report));
process.exit(0);

function records(): Generator<NewRecord[]> {
  const to = FROM + (task.records / task.cities) * HOUR_MS;
  return simulatedRecords({ cities: syntheticCities(task.cities), from: FROM, to, stepMs: HOUR_MS, seed: 1 });
}

async function readAll(): Promise<IngestReport> {
  const started = performance.now();
  let count = 0;
  let bytes = 0;
  for (const chunk of records()) {
    count += chunk.length;
    for (const { value } of chunk) bytes += value.length;
  }
  return { records: count, files: 0, bytes, seconds: secondsSince(started) };
}

/** Source -> SQLite: what a log without a lake costs at least. */
async function intoSqlite(): Promise<IngestReport> {
  const db = new Database(join(task.folder, "bare.sqlite"), { create: true });
  db.run("PRAGMA journal_mode = WAL");
  db.run("PRAGMA synchronous = FULL");
  db.run(
    "CREATE TABLE records (offset INTEGER PRIMARY KEY, timestamp INTEGER NOT NULL, value TEXT NOT NULL)",
  );
  const insert = db.prepare("INSERT INTO records (timestamp, value) VALUES (?, ?)");
  const append = db.transaction((chunk: NewRecord[]) => {
    const now = Date.now();
    for (const { value } of chunk) insert.run(now, value);
  });
  const started = performance.now();
  let count = 0;
  for (const chunk of records()) {
    append(chunk);
    count += chunk.length;
  }
  const seconds = secondsSince(started);
  db.close();
  return { records: count, files: 0, bytes: 0, seconds };
}

/** Source -> as many files as the lake got, each written, synced and renamed. */
async function intoFiles(): Promise<IngestReport> {
  const target = join(task.folder, "files");
  await mkdir(target);
  const encoder = new TextEncoder();
  const started = performance.now();
  let count = 0;
  let files = 0;
  let bytes = 0;
  let under: Promise<void>[] = [];
  const write = async (text: string) => {
    const path = join(target, String(files++));
    const content = encoder.encode(text);
    bytes += content.length;
    const handle = await open(`${path}.tmp`, "wx");
    await handle.writeFile(content);
    await handle.sync();
    await handle.close();
    await rename(`${path}.tmp`, path);
  };
  let text = "";
  const total = task.records;
  for (const chunk of records()) {
    for (const { value } of chunk) {
      text += `${value}\n`;
      count++;
      // The files' ends lie evenly among the records.
      if (Math.floor((count * task.files) / total) === Math.floor(((count - 1) * task.files) / total))
        continue;
      under.push(write(text));
      text = "";
      if (under.length < PARALLEL) continue;
      await Promise.all(under);
      under = [];
    }
  }
  await Promise.all(under);
  const folder = await open(target, "r");
  await folder.sync();
  await folder.close();
  return { records: count, files, bytes, seconds: secondsSince(started) };
}

/** Source -> log -> committed lake. */
async function intoLake(): Promise<IngestReport> {
  const { config } = loadConfig({ DATA_DIR: task.folder }, { isTerminal: false });
  const ports = await openPorts(config, "bench", { clock: systemClock, logger: silentLogger });
  let files = 0;
  let bytes = 0;
  const { lake } = ports;
  const counted: Lake = {
    kind: lake.kind,
    put: (added) => {
      files += added.length;
      for (const file of added) bytes += file.bytes.length;
      return lake.put(added);
    },
    create: (path, content) => {
      files++;
      bytes += content.length;
      return lake.create(path, content);
    },
    read: (path) => lake.read(path),
    list: (folder) => lake.list(folder),
    delete: (paths) => lake.delete(paths),
    locate: (path) => lake.locate(path),
  };
  const loaded = await loadRecords({
    ports: { ...ports, lake: counted },
    config,
    clock: systemClock,
    logger: silentLogger,
    chunks: each(records()),
    signal: new AbortController().signal,
  });
  await ports.close();
  if (loaded.rows !== loaded.records) throw new Error(`${loaded.rows} rows of ${loaded.records} records`);
  return { records: loaded.rows, files, bytes, seconds: loaded.seconds };
}

async function* each<T>(items: Iterable<T>): AsyncGenerator<T> {
  yield* items;
}

function secondsSince(started: number): number {
  return (performance.now() - started) / 1000;
}
