import { mkdir, mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Clock } from "../core/clock.ts";
import { DAY_MS, HOUR_MS } from "../core/time.ts";
import { openLocalLake } from "../jobs/lake/local.ts";
import type { Lake } from "../jobs/lake/lake.ts";
import { openSqliteLog, type SqliteLog } from "../jobs/log/sqlite.ts";
import { openDuckDb } from "../spark/duckdb.ts";
import type { Engine } from "../spark/engine.ts";
import type { Config } from "./config.ts";

/** The ports of one data set. */
export interface Ports {
  log: SqliteLog;
  lake: Lake;
  engine: Engine;
  /** Releases them in reverse order. */
  close(): Promise<void>;
}

/** Where a data set's lake lies. */
export function lakeFolder(dataDir: string, dataset: string): string {
  return join(resolve(dataDir), "lake", dataset);
}

/**
 * Opens log, lake and engine of a data set.
 *
 * @throws LakeError, LogError, EngineError naming what cannot be used; what was opened before is closed
 */
export async function openPorts(config: Config, dataset: string, clock: Clock): Promise<Ports> {
  const folder = resolve(config.dataDir);
  const lakeRoot = lakeFolder(folder, dataset);
  const lake = await openLocalLake(lakeRoot);
  const log = await openSqliteLog({
    folder: join(folder, "log"),
    topic: `weather.${dataset}`,
    clock,
    retentionMs: config.logRetentionHours * HOUR_MS,
  });
  try {
    const tempFolder = await ownTempFolder(join(folder, "tmp"), clock.now());
    const engine = await openDuckDb({ tempFolder, folders: [lakeRoot] });
    return {
      log,
      lake,
      engine,
      close: async () => {
        await engine.close();
        await rm(tempFolder, { recursive: true, force: true });
        await log.close();
      },
    };
  } catch (error) {
    await log.close();
    throw error;
  }
}

/** Makes a temporary folder that no other process uses, and removes those that killed processes left a day ago or more. */
async function ownTempFolder(parent: string, now: number): Promise<string> {
  await mkdir(parent, { recursive: true });
  for (const name of await readdir(parent)) {
    const folder = join(parent, name);
    const { mtimeMs } = await stat(folder).catch(() => ({ mtimeMs: now })); // its process has just removed it
    if (now - mtimeMs > DAY_MS) await rm(folder, { recursive: true, force: true });
  }
  return mkdtemp(join(parent, "engine-"));
}

/** Random ids of entries, files and runs: 16 hexadecimal digits. */
export function newId(): string {
  return crypto.randomUUID().replaceAll("-", "").slice(0, 16);
}
