import { mkdir, mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Clock } from "../../core/clock.ts";
import { codeOf, messageOf } from "../../core/errors.ts";
import type { Logger } from "../../core/log.ts";
import { newId } from "../../core/random.ts";
import { DAY_MS, HOUR_MS } from "../../core/time.ts";
import { cachedEngine } from "../../jobs/lake/cached-engine.ts";
import type { JudgedPlace } from "../../jobs/readers/judged-rows.ts";
import type { Lake } from "../../jobs/lake/lake.ts";
import { isKafkaAway } from "../../jobs/log/kafka-error.ts";
import { type KafkaLogOptions, openKafkaLog } from "../../jobs/log/kafka.ts";
import { LateLog } from "../../jobs/log/late-log.ts";
import type { Log } from "../../jobs/log/log.ts";
import { openSqliteLog, type SqliteLog } from "../../jobs/log/sqlite.ts";
import { openSpark, type SparkEngine } from "../../spark/connect/engine.ts";
import { openDuckDb } from "../../spark/duckdb.ts";
import type { Engine, WritingEngine } from "../../spark/engine.ts";
import type { Config } from "../config/config.ts";
import { folderPlace, lakePlace } from "./judged-place.ts";
import { datasetLake, type OpenedLake } from "./lakes.ts";

/** The ports of one data set: which implementation each has is decided here and nowhere else. */
export interface Ports {
  log: Log;
  /** The log where it is embedded: it needs somebody who deletes what is old. */
  embeddedLog: SqliteLog | null;
  lake: Lake;
  /** The lake for readers that somebody waits for. */
  promptLake: Lake;
  /** Runs jobs: Spark where `SPARK_REMOTE` is set. */
  engine: Engine;
  /** Answers short reads, compacts and judges: always DuckDB in this process. */
  reads: WritingEngine;
  /** Where the engine of the jobs finds files that this process judged for it. */
  judgedPlace: JudgedPlace;
  /** A folder of this process alone that {@link Ports.reads} may read; it goes with the ports. */
  tempFolder: string;
  /** Releases them in reverse order. */
  close(): Promise<void>;
}

/**
 * Opens log, lake and engines of a data set.
 *
 * @param options.lake its lake, where it is open already
 * @param options.late takes a Kafka that is away too: everything asked of it is refused until it is there
 * @throws LakeError, LogError, EngineError, ConfigError naming what cannot be used; what was opened before is closed
 */
export async function openPorts(
  config: Config,
  dataset: string,
  deps: { clock: Clock; logger: Logger },
  options: { lake?: OpenedLake; late?: boolean } = {},
): Promise<Ports> {
  const undo: (() => Promise<unknown>)[] = [];
  const close = async () => {
    for (const step of undo.splice(0).toReversed()) await step();
  };
  try {
    const folder = resolve(config.dataDir);
    const opened = options.lake ?? (await datasetLake(config, dataset, deps).open());
    const { lake, promptLake } = opened;

    const { log, embeddedLog } = await openLog(config, dataset, deps, options);
    undo.push(() => log.close());

    const tempFolder = await ownTempFolder(join(folder, "tmp"), deps.clock.now());
    undo.push(() => rm(tempFolder, { recursive: true, force: true }));
    const cache = join(folder, "cache", dataset);
    const duckDb = await openDuckDb({ tempFolder, folders: [opened.folder ?? cache] });
    undo.push(() => duckDb.close());
    const maxBytes = config.cacheMegabytes * 1_000_000;
    const reads =
      opened.folder !== null
        ? duckDb
        : cachedEngine({ engine: duckDb, lake: promptLake, folder: cache, maxBytes });

    let engine: Engine = reads;
    let judgedPlace = folderPlace(tempFolder);
    if (config.sparkRemote !== null) {
      const spark = await openSpark({
        remote: config.sparkRemote,
        ...(config.sparkToken === null ? {} : { token: config.sparkToken }),
        user: config.hdfsUser,
        ...deps,
      });
      undo.push(() => spark.close());
      if (opened.folder !== null) await probe(spark, opened.folder, deps.logger);
      engine = spark;
      judgedPlace = lakePlace(lake, deps.clock);
    }
    return { log, embeddedLog, lake, promptLake, engine, reads, judgedPlace, tempFolder, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * Opens the log of a data set: Kafka where `KAFKA_BROKERS` is set, else SQLite.
 *
 * @param options.late see {@link openPorts}
 * @throws LogError
 */
export async function openLog(
  config: Config,
  dataset: string,
  deps: { clock: Clock; logger: Logger },
  options: { late?: boolean } = {},
): Promise<{ log: Log; embeddedLog: SqliteLog | null }> {
  const topic = `weather.${dataset}`;
  const retentionMs = config.logRetentionHours * HOUR_MS;
  if (config.kafkaBrokers === null) {
    const log = await openSqliteLog({
      folder: join(resolve(config.dataDir), "log"),
      topic,
      clock: deps.clock,
      retentionMs,
    });
    return { log, embeddedLog: log };
  }
  const { kafkaCa: ca, kafkaCert: cert, kafkaKey: key } = config;
  const partitions = config.kafkaPartitions;
  const kafka: KafkaLogOptions = {
    brokers: config.kafkaBrokers,
    topic,
    partitions,
    replication: config.kafkaReplication,
    retentionMs,
    group: `${config.kafkaGroup}.${dataset}`,
    clientId: `isobar-${hostname()}-${process.pid}`,
    ...(config.kafkaTls === "off"
      ? {}
      : { tls: { ...(ca === null ? {} : { ca }), ...(cert === null || key === null ? {} : { cert, key }) } }),
    ...(config.kafkaSasl === null || config.kafkaUsername === null || config.kafkaPassword === null
      ? {}
      : {
          sasl: {
            mechanism: config.kafkaSasl,
            username: config.kafkaUsername,
            password: config.kafkaPassword,
          },
        }),
    ...deps,
  };
  try {
    return { log: await openKafkaLog(kafka), embeddedLog: null };
  } catch (error) {
    if (options.late !== true || !isKafkaAway(error)) throw error;
    deps.logger.warn("Kafka is away: what needs it waits", { reason: messageOf(error) });
    const log = new LateLog({ kind: "kafka", topic, partitions, open: () => openKafkaLog(kafka) });
    return { log, embeddedLog: null };
  }
}

/**
 * Makes sure that Spark sees the same folder as this process. A Spark that is away is no error: its queries are refused
 * until it is there.
 *
 * @throws EngineError `not_shared`
 */
async function probe(spark: SparkEngine, folder: string, logger: Logger): Promise<void> {
  const path = join(folder, `probe-${newId()}.txt`);
  const text = newId();
  await Bun.write(path, `${text}\n`);
  try {
    await spark.probe(pathToFileURL(path).href, text);
  } catch (error) {
    if (codeOf(error) === "not_shared") throw error;
    logger.warn("Spark cannot be asked whether it sees the lake", { error: messageOf(error) });
  } finally {
    await rm(path, { force: true });
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
