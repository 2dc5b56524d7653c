import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { systemClock } from "../../../core/clock.ts";
import { LogError } from "../../../core/errors.ts";
import { silentLogger } from "../../../core/log.ts";
import { formatTimestamp } from "../../../core/time.ts";
import { consumerJob } from "../../../jobs/consumer.ts";
import type { Log, NewRecord } from "../../../jobs/log/log.ts";
import { Supervisor } from "../../../jobs/supervisor.ts";
import { contentOf, type Content, type Files } from "../../support/truth.ts";
import { WritePath, recordOf } from "../../support/write-path.ts";

const CITIES = Array.from({ length: 24 }, (_, i) => `station-${i + 1}`);
const BEGIN = Date.UTC(2026, 0, 31, 6);
/** Seconds of observations in one append. */
const SECONDS = 10;

/** The real consumers and a load of observations, over a lake in a folder of its own. */
export class Pipeline {
  readonly #path: WritePath;
  readonly #supervisors = new Map<string, Supervisor>();
  #steps = 0;
  /** What was acknowledged, by identity. */
  readonly acknowledged = new Set<string>();
  /** How often a consumer was run again. */
  restarts = 0;

  private constructor(path: WritePath) {
    this.#path = path;
  }

  static async open(): Promise<Pipeline> {
    return new Pipeline(await WritePath.open());
  }

  /** The lake's folder. */
  get root(): string {
    return this.#path.root;
  }

  /** Ends every consumer and removes the lake. */
  async close(): Promise<void> {
    for (const name of this.#supervisors.keys()) await this.stopConsumer(name);
    await this.#path.close();
  }

  /** Runs a consumer as the program does: when it fails it is run again. */
  startConsumer(name: string, log: Log): void {
    const job = consumerJob(
      this.#path.consumer({
        log,
        clock: systemClock,
        newId: () => crypto.randomUUID().slice(0, 8),
        batchRecords: 500,
        batchRecordsMax: 5_000,
        flushMs: 300,
      }),
    );
    const supervisor = new Supervisor({
      clock: systemClock,
      logger: silentLogger,
      backoff: { baseMs: 200, maxMs: 1_000 },
    });
    supervisor.add(job);
    supervisor.start();
    this.#supervisors.set(name, supervisor);
  }

  async stopConsumer(name: string): Promise<void> {
    const supervisor = this.#supervisors.get(name);
    this.#supervisors.delete(name);
    if (supervisor === undefined) return;
    this.restarts += supervisor.status()[0]!.restarts;
    const { late } = await supervisor.stop(30_000);
    if (late.length > 0) throw new Error(`${name} did not stop`);
  }

  /** Waits until every partition was claimed by a consumer for the `count`th time. */
  async claimed(log: Log, count: number): Promise<void> {
    for (let partition = 0; partition < log.partitions; partition++)
      while ((await this.#claims(log.topic, partition)) < count) await Bun.sleep(50);
  }

  async #claims(topic: string, partition: number): Promise<number> {
    const folder = join(this.#path.root, "commits", topic, String(partition));
    const names = (await readdir(folder).catch(() => [])).filter((name) => /^\d+\.json$/.test(name));
    const entries = await Promise.all(
      names.map(async (name) => JSON.parse(await readFile(join(folder, name), "utf8")) as { kind: string }),
    );
    return entries.filter(({ kind }) => kind === "claim").length;
  }

  /** Appends new observations until `signal` aborts. */
  async load(log: Log, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) await this.send(log);
  }

  /** Appends the next observations: some seconds of every city. What the log does not take is sent again, as the producer does. */
  async send(log: Log): Promise<void> {
    const records = this.#next();
    for (;;) {
      try {
        await log.append(records);
        break;
      } catch (error) {
        if (!(error instanceof LogError && error.code === "unavailable")) throw error;
      }
    }
    for (const { value } of records) this.acknowledged.add(identityOf(value));
  }

  /** Waits until the lake holds all the log has. */
  async settled(log: Log, deadlineMs: number): Promise<Content[]> {
    const end = Date.now() + deadlineMs;
    for (;;) {
      const content = await this.content(log);
      const highs = await Promise.all(content.map((_, partition) => log.bounds(partition)));
      if (content.every(({ next }, partition) => next >= highs[partition]!.high)) return content;
      if (Date.now() > end) {
        const status = [...this.#supervisors.values()].flatMap((supervisor) => supervisor.status());
        throw new Error(
          `The lake is behind: ${JSON.stringify({ next: content.map((c) => c.next), highs, status })}`,
        );
      }
      await Bun.sleep(100);
    }
  }

  /** What each partition of the lake holds. */
  content(log: Log): Promise<Content[]> {
    return Promise.all(
      Array.from({ length: log.partitions }, (_, partition) => contentIn(this.root, log.topic, partition)),
    );
  }

  #next(): NewRecord[] {
    const step = this.#steps++;
    return Array.from({ length: SECONDS }, (_, i) =>
      formatTimestamp(BEGIN + (step * SECONDS + i) * 1_000),
    ).flatMap((timestamp) => CITIES.map((city) => ({ key: city, value: recordOf({ timestamp, city }) })));
  }
}

/** What a partition of a local lake without compacted files holds. */
export function contentIn(root: string, topic: string, partition: number): Promise<Content> {
  const files: Files = {
    list: (path) => readdir(join(root, path)).catch(() => []),
    read: (path) => readFile(join(root, path)),
    readParquet: () => Promise.reject(new Error("No compacted files are wanted here")),
  };
  return contentOf(files, topic, partition);
}

/** City and time of an observation: nothing else differs here. */
export function identityOf(value: string): string {
  const { city, timestamp } = JSON.parse(value) as { city: string; timestamp: string };
  return `${city} ${timestamp}`;
}

/** Each row of the lake once by its identity, and what is wrong with the lake. */
export function rowsOf(content: readonly Content[]): { rows: string[]; problems: string[] } {
  const identity = (values: string) => {
    const [timestamp, city] = JSON.parse(values) as [string, string];
    return `${city} ${timestamp}`;
  };
  return {
    rows: content.flatMap(({ rows }) => rows.map(({ values }) => identity(values))),
    problems: content.flatMap(({ problems }) => problems),
  };
}
