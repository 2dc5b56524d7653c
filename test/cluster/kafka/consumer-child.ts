/**
 * A consumer in a process of its own: `bun consumer-child.ts <options>`, as JSON of {@link ChildOptions}. It runs as the
 * program's own does until SIGTERM, and tells the program's log, from `debug` on, as lines of JSON. After SIGUSR2 it says
 * {@link PAUSES}, and stops itself with SIGSTOP as soon as a batch's files are written and its entry is about to be created.
 */
import { writeSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../../core/clock.ts";
import { codeOf } from "../../../core/errors.ts";
import { createLogger } from "../../../core/log.ts";
import { consumerJob } from "../../../jobs/consumer.ts";
import { openLocalLake } from "../../../jobs/lake/local.ts";
import { type KafkaLogOptions, openKafkaLog } from "../../../jobs/log/kafka.ts";
import { readRows } from "../../../jobs/readers/observation-rows.ts";
import { Supervisor } from "../../../jobs/supervisor.ts";
import { newId } from "../../../core/random.ts";
import { openDuckDb } from "../../../spark/duckdb.ts";
import { changedLake } from "../../support/changed-lake.ts";

/** What a child is told. */
export interface ChildOptions {
  log: Omit<KafkaLogOptions, "clock" | "logger">;
  /** The folder of the lake. */
  lake: string;
  /** A folder of its own. */
  folder: string;
}

/** The line before it stops itself. */
export const PAUSES = "Stopped right before a commit";
/** The line that says that this commit's entry found its number taken. */
export const REFUSED = "The number of the commit is taken";

if (import.meta.main) {
  const options = JSON.parse(process.argv[2]!) as ChildOptions;
  const clock = systemClock;
  const logger = createLogger({
    level: "debug",
    format: "json",
    write: (line) => void writeSync(1, `${line}\n`),
  });
  let pausing = false;
  process.on("SIGUSR2", () => (pausing = true));

  const log = await openKafkaLog({ ...options.log, clock, logger });
  const stored = await openLocalLake(options.lake);
  const lake = changedLake(stored, {
    async create(path, bytes) {
      const { kind } = JSON.parse(new TextDecoder().decode(bytes)) as { kind?: string };
      if (!pausing || kind !== "batch") return stored.create(path, bytes);
      pausing = false;
      logger.info(PAUSES, { path });
      process.kill(process.pid, "SIGSTOP");
      Bun.sleepSync(200); // the signal may take a moment: nothing is to happen before it
      try {
        await stored.create(path, bytes);
      } catch (error) {
        if (codeOf(error) === "exists") logger.info(REFUSED, { path });
        throw error;
      }
    },
  });
  const duckDb = await openDuckDb({
    tempFolder: join(options.folder, "engine"),
    folders: [options.lake],
    threads: 1,
  });
  const supervisor = new Supervisor({ clock, logger });
  supervisor.add(
    consumerJob({
      log,
      lake,
      clock,
      logger,
      newId,
      readRows: (snapshot, from, to) => readRows(duckDb, snapshot, from, to),
      batchRecords: 500,
      batchRecordsMax: 5_000,
      flushMs: 1_000,
      onCommit: () => {},
    }),
  );
  supervisor.start();
  process.on("SIGTERM", async () => {
    const { late } = await supervisor.stop(30_000);
    await log.close();
    await duckDb.close();
    process.exit(late.length);
  });
}
