import { join, resolve } from "node:path";
import type { Clock } from "../core/clock.ts";
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
  const lake = await openLocalLake(lakeFolder(folder, dataset));
  const log = await openSqliteLog({
    folder: join(folder, "log"),
    topic: `weather.${dataset}`,
    clock,
    retentionMs: config.logRetentionHours * 3_600_000,
  });
  try {
    const engine = await openDuckDb({ tempFolder: join(folder, "tmp") });
    return {
      log,
      lake,
      engine,
      close: async () => {
        await engine.close();
        await log.close();
      },
    };
  } catch (error) {
    await log.close();
    throw error;
  }
}

/** Random ids of entries, files and runs: 16 hexadecimal digits. */
export function newId(): string {
  return crypto.randomUUID().replaceAll("-", "").slice(0, 16);
}
