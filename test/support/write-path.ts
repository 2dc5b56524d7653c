import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "../../core/log.ts";
import type { Row } from "../../core/observation.ts";
import type { Chain } from "../../jobs/commits/writer.ts";
import type { ConsumerOptions } from "../../jobs/consumer.ts";
import type { Lake } from "../../jobs/lake/lake.ts";
import { openLocalLake } from "../../jobs/lake/local.ts";
import { PartitionWriter } from "../../jobs/partition-writer.ts";
import { readRows } from "../../jobs/readers/observation-rows.ts";
import type { Engine, Snapshot } from "../../spark/engine.ts";
import { contentOf, type Content, type Files } from "./truth.ts";
import { FakeClock } from "./fake-clock.ts";
import { MemoryLog } from "./memory-log.ts";

/** An hour of 31 January 2026: all records of the tests are of that day or of those before. */
export const at = (time: string, date = "2026-01-31"): string => `${date}T${time}:00Z`;

/** A record as a source sends it, with what is told and the rest null. */
export function recordOf(fields: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({
    timestamp: at("06:00"),
    city: "London",
    temperature: 5,
    humidity: 80,
    pressure: 1013.2,
    wind_speed: 3.5,
    rainfall: 0,
    weather_main: "Clouds",
    weather_description: "broken clouds",
    source: "test",
    ...fields,
  });
}

/** A log in memory, an empty lake in a folder of its own, and what a consumer needs besides. */
export class WritePath {
  readonly clock = new FakeClock(Date.UTC(2026, 0, 31, 12));
  readonly log: MemoryLog;
  readonly root: string;
  readonly lake: Lake;
  /** How often committed rows were read again. */
  loads = 0;
  #ids = 0;
  #commits: (() => void)[] = [];

  private constructor(root: string, lake: Lake, partitions: number) {
    this.root = root;
    this.lake = lake;
    this.log = new MemoryLog({ clock: this.clock, partitions });
  }

  static async open(partitions = 1): Promise<WritePath> {
    const root = await mkdtemp(join(tmpdir(), "isobar-write-"));
    return new WritePath(root, await openLocalLake(root), partitions);
  }

  close(): Promise<void> {
    return rm(this.root, { recursive: true, force: true });
  }

  /** Appends records, all of one key. */
  async append(...values: string[]): Promise<void> {
    await this.log.append(values.map((value) => ({ key: "", value })));
  }

  /** Appends values to a partition and commits them as one batch. */
  async commit(engine: Engine, partition: number, values: readonly string[]): Promise<void> {
    const key = String.fromCodePoint(partition); // the memory log takes the rest of it
    await this.log.append(values.map((value) => ({ key, value })));
    const writer = await this.writer(engine, partition);
    await writer.add(await this.log.read(partition, writer.next, values.length));
    await writer.flush();
  }

  /** A writer of a partition by a claim of its own. */
  writer(engine: Engine, partition = 0): Promise<PartitionWriter> {
    return PartitionWriter.open({
      chain: this.chain(this.lake, partition),
      log: this.log,
      clock: this.clock,
      logger: silentLogger,
      readRows: (snapshot, from, to) => readRows(engine, snapshot, from, to),
      batchRecords: 1_000,
      flushMs: 1_000,
      onCommit: () => {},
      onFailure: () => {},
    });
  }

  chain(lake: Lake = this.lake, partition = 0): Chain {
    return { lake, topic: this.log.topic, partition, newId: this.newId, now: () => this.clock.now() };
  }

  readonly newId = (): string => `id${++this.#ids}`;

  /** Reads rows of JSON lines without an engine. */
  readonly readRows = async (snapshot: Snapshot, from: number, to: number): Promise<Row[]> => {
    this.loads++;
    const newest = new Map<string, Row>();
    for (const file of snapshot.files) {
      for (const line of (await readFile(file.location, "utf8")).split("\n")) {
        if (line === "") continue;
        const row = JSON.parse(line) as Row;
        const time = Date.parse(row.timestamp);
        const identity = JSON.stringify([row.source, row.city, row.timestamp]);
        if (time < from || time >= to) continue;
        if ((newest.get(identity)?.log_offset ?? -1) < row.log_offset) newest.set(identity, row);
      }
    }
    return [...newest.values()];
  };

  /** Options of a consumer; a full batch is 4 records, up to 8 while behind, and a record waits 10 s at most. */
  consumer(changed: Partial<ConsumerOptions> = {}): ConsumerOptions {
    return {
      log: this.log,
      lake: this.lake,
      clock: this.clock,
      logger: silentLogger,
      newId: this.newId,
      readRows: this.readRows,
      batchRecords: 4,
      batchRecordsMax: 8,
      flushMs: 10_000,
      onCommit: () => this.committed(),
      ...changed,
    };
  }

  /** Tells those who wait in {@link reach}. */
  committed(): void {
    for (const resolve of this.#commits.splice(0)) resolve();
  }

  /** Resolves once a partition is committed up to an offset. */
  async reach(next: number, partition = 0): Promise<void> {
    for (;;) {
      const commit = Promise.withResolvers<void>();
      this.#commits.push(commit.resolve);
      if ((await this.content(partition)).next >= next) return;
      await commit.promise;
    }
  }

  /** What is committed, read from the files by code of the tests' own. */
  content(partition = 0): Promise<Content> {
    const files: Files = {
      list: (path) => readdir(join(this.root, path)).catch(() => []),
      read: (path) => readFile(join(this.root, path)),
      readParquet: () => Promise.reject(new Error("No compacted files are wanted here")),
    };
    return contentOf(files, this.log.topic, partition);
  }

  /** Entries of a partition's chain, in order. */
  async entries(partition = 0): Promise<{ path: string; entry: Record<string, unknown> }[]> {
    const folder = join(this.root, "commits", this.log.topic, String(partition));
    const names = (await readdir(folder)).sort();
    return Promise.all(
      names.map(async (name) => ({
        path: join(folder, name),
        entry: JSON.parse(await readFile(join(folder, name), "utf8")) as Record<string, unknown>,
      })),
    );
  }
}
