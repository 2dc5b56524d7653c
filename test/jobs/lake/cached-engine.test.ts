import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtemp, readdir, readFile, rm, truncate, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tableFromArrays } from "apache-arrow";
import { codeOf, EngineError, LakeError } from "../../../core/errors.ts";
import { cachedEngine } from "../../../jobs/lake/cached-engine.ts";
import { FileCache } from "../../../jobs/lake/file-cache.ts";
import type { Lake } from "../../../jobs/lake/lake.ts";
import type { JudgingInput, Snapshot, SnapshotFile, WritingEngine } from "../../../spark/engine.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);

/** A lake that is only read, elsewhere; its files hold their own paths. */
class RemoteLake implements Pick<Lake, "read" | "locate"> {
  readonly reads: string[] = [];
  readonly missing = new Set<string>();
  /** Reads wait for it. */
  gate: Promise<void> = Promise.resolve();
  /** Length of a file. */
  bytes = 100;

  async read(path: string): Promise<Uint8Array> {
    this.reads.push(path);
    await this.gate;
    if (this.missing.has(path)) throw new LakeError("missing", `Cannot read ${path}`);
    return bytesOf(path.padEnd(this.bytes));
  }

  locate(path: string): string {
    return `hdfs://fake:8020/isobar/live/${path}`;
  }
}

/** An engine that reads the files it is given, and waits when it is told to. */
class ReadingEngine implements WritingEngine {
  readonly name = "reading";
  readonly seen: string[][] = [];
  gate: Promise<void> = Promise.resolve();
  closed = false;

  async query(_sql: string, { snapshot }: { snapshot: Snapshot }) {
    await this.#read(snapshot);
    return tableFromArrays({ n: [snapshot.files.length] });
  }

  async compact(snapshot: Snapshot) {
    await this.#read(snapshot);
    return { bytes: new Uint8Array(), rows: snapshot.files.length };
  }

  async judge(parts: readonly Snapshot[], { around, before }: JudgingInput) {
    for (const snapshot of [around, before]) await this.#read(snapshot);
    return Promise.all(parts.map((part) => this.compact(part)));
  }

  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }

  async #read(snapshot: Snapshot): Promise<void> {
    const contents = async () =>
      Promise.all(snapshot.files.map(async ({ location }) => (await readFile(location, "utf8")).trim()));
    this.seen.push(await contents());
    await this.gate;
    await contents();
  }
}

let folder: string;
let lake: RemoteLake;
let inner: ReadingEngine;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "isobar-cache-"));
  lake = new RemoteLake();
  inner = new ReadingEngine();
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const cached = (maxBytes = 10_000): WritingEngine =>
  cachedEngine({ engine: inner, lake: lake as unknown as Lake, folder, maxBytes });

const file = (path: string, location = lake.locate(path)): SnapshotFile => ({
  location,
  format: "parquet",
  date: "2026-01-31",
  rows: 1,
  revisions: 0,
});
const snapshotOf = (...names: string[]): Snapshot => ({ files: names.map((name) => file(name)) });
const ask = (engine: WritingEngine, ...names: string[]) =>
  engine.query("SELECT 1", { snapshot: snapshotOf(...names) });
const failure = async (call: Promise<unknown>) => {
  const error: unknown = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(EngineError);
  return error as EngineError;
};

describe("cachedEngine()", () => {
  test("brings each file once, in the order of the snapshot, for query and compact", async () => {
    const engine = cached();
    await ask(engine, "a.parquet", "b.parquet");
    await ask(engine, "b.parquet", "c.parquet");
    expect((await engine.compact(snapshotOf("c.parquet", "a.parquet"))).rows).toBe(2);
    expect(inner.seen).toEqual([
      ["a.parquet", "b.parquet"],
      ["b.parquet", "c.parquet"],
      ["c.parquet", "a.parquet"],
    ]);
    expect(lake.reads).toEqual(["a.parquet", "b.parquet", "c.parquet"]);
    expect((await readdir(folder)).every((name) => name.endsWith(".parquet"))).toBe(true);
  });

  test("passes files through that are local already", async () => {
    const local = join(folder, "..", `${folder.split("/").at(-1)}-local.jsonl`);
    await writeFile(local, "here");
    try {
      await cached().query("SELECT 1", { snapshot: { files: [file("", local)] } });
      expect(inner.seen).toEqual([["here"]]);
      expect(lake.reads).toEqual([]);
    } finally {
      await rm(local);
    }
  });

  test("queries at the same time share a fetch", async () => {
    const gate = Promise.withResolvers<void>();
    lake.gate = gate.promise;
    const engine = cached();
    const queries = [1, 2, 3].map(() => ask(engine, "a.parquet", "b.parquet"));
    gate.resolve();
    await Promise.all(queries);
    expect(lake.reads.sort()).toEqual(["a.parquet", "b.parquet"]);
  });

  test("a missing file is `unavailable` with the lake's `missing` as its cause, and is asked for again", async () => {
    const engine = cached();
    lake.missing.add("b.parquet");
    const error = await failure(ask(engine, "a.parquet", "b.parquet"));
    expect(error.code).toBe("unavailable");
    expect(codeOf(error.cause)).toBe("missing");
    lake.missing.clear();
    await ask(engine, "a.parquet", "b.parquet");
    expect(inner.seen).toEqual([["a.parquet", "b.parquet"]]);
  });

  test("a cancelled query does not wait for its files, and those who share the fetch get them", async () => {
    const gate = Promise.withResolvers<void>();
    lake.gate = gate.promise;
    const engine = cached();
    const stop = new AbortController();
    const first = failure(
      engine.query("SELECT 1", { snapshot: snapshotOf("a.parquet"), signal: stop.signal }),
    );
    const second = ask(engine, "a.parquet");
    stop.abort();
    expect((await first).code).toBe("cancelled");
    gate.resolve();
    await second;
    expect(lake.reads).toEqual(["a.parquet"]);
    expect((await failure(engine.compact(snapshotOf("z.parquet"), stop.signal))).code).toBe("cancelled");
  });

  test("close() closes the engine, and lets go of what waits for files", async () => {
    lake.gate = new Promise(() => {});
    const engine = cached();
    const waiting = failure(ask(engine, "a.parquet"));
    await engine.close();
    expect((await waiting).code).toBe("cancelled");
    expect(inner.closed).toBe(true);
  });

  test("keeps within its bound, dropping what was used longest ago", async () => {
    const engine = cached(300);
    await ask(engine, "a.parquet", "b.parquet", "c.parquet");
    await ask(engine, "a.parquet");
    await ask(engine, "d.parquet");
    expect(await readdir(folder)).toHaveLength(3);
    lake.reads.length = 0;
    await ask(engine, "a.parquet", "c.parquet", "d.parquet");
    expect(lake.reads).toEqual([]);
    await ask(engine, "b.parquet");
    expect(lake.reads).toEqual(["b.parquet"]);
  });

  test("never drops files in use, and goes back within its bound afterwards", async () => {
    const gate = Promise.withResolvers<void>();
    inner.gate = gate.promise;
    const engine = cached(200);
    const slow = ask(engine, "a.parquet", "b.parquet");
    const other = ask(engine, "c.parquet", "d.parquet");
    while (inner.seen.length < 2) await new Promise<void>((resolve) => setImmediate(resolve));
    expect(await readdir(folder)).toHaveLength(4);
    gate.resolve();
    await Promise.all([slow, other]); // each reads its files once more
    expect(await readdir(folder)).toHaveLength(2);
  });

  test("refuses a query that alone needs more, and keeps nothing pinned", async () => {
    const engine = cached(250);
    const error = await failure(ask(engine, "a.parquet", "b.parquet", "c.parquet"));
    expect(error.code).toBe("out_of_memory");
    expect(error.hint).toContain("CACHE_MEGABYTES");
    await ask(engine, "d.parquet", "e.parquet");
    expect((await readdir(folder)).length).toBeLessThanOrEqual(2);
  });

  test("fetches a file again that somebody deleted", async () => {
    const engine = cached();
    await ask(engine, "a.parquet");
    for (const name of await readdir(folder)) await rm(join(folder, name));
    await ask(engine, "a.parquet");
    expect(lake.reads).toEqual(["a.parquet", "a.parquet"]);
  });
});

test("judge() reads copies of all files, and a file of several lists counts once", async () => {
  const engine = cached(250);
  const judging = {
    from: 0,
    to: 1,
    views: [],
    around: snapshotOf("a.parquet", "b.parquet"),
    before: snapshotOf("a.parquet"),
  };
  const written = await engine.judge([snapshotOf("b.parquet")], judging);
  expect(written.map(({ rows }) => rows)).toEqual([1]);
  expect(inner.seen).toEqual([["a.parquet", "b.parquet"], ["a.parquet"], ["b.parquet"]]);
  expect(lake.reads.toSorted()).toEqual(["a.parquet", "b.parquet"]);
});

describe("two processes over one folder", () => {
  test("neither takes the other's unfinished copies for its own", async () => {
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const other = new RemoteLake();
    [lake.gate, other.gate] = [gates[0]!.promise, gates[1]!.promise];
    const theirs = cachedEngine({ engine: inner, lake: other as unknown as Lake, folder, maxBytes: 10_000 });
    const queries = [ask(cached(), "a.parquet"), ask(theirs, "a.parquet")];
    for (const gate of gates) gate.resolve();
    await Promise.all(queries);
    expect(inner.seen).toEqual([["a.parquet"], ["a.parquet"]]);
    expect(await readdir(folder)).toHaveLength(1);
  });

  test("a copy that the other deletes in mid-query is fetched again, once", async () => {
    const engine = cached();
    const read = inner.query.bind(inner);
    let deletions = 1;
    inner.query = async (sql, options) => {
      if (deletions-- > 0) for (const name of await readdir(folder)) await rm(join(folder, name));
      return read(sql, options);
    };
    await ask(engine, "a.parquet");
    expect(lake.reads).toEqual(["a.parquet", "a.parquet"]);
    deletions = 2;
    expect(await ask(engine, "b.parquet").then(() => undefined, codeOf)).toBe("ENOENT");
  });
});

describe("FileCache.open()", () => {
  test("keeps what is whole, in the order of its use, and deletes what is cut short or foreign", async () => {
    await ask(cached(), "a.parquet", "b.parquet", "c.parquet", "d.jsonl");
    const names = await readdir(folder);
    const nameOf = async (path: string) => {
      for (const name of names) if ((await readFile(join(folder, name), "utf8")).trim() === path) return name;
      throw new Error(`${path} is not in the cache`);
    };
    await writeFile(join(folder, "stranger"), "x");
    const part = join(folder, `${await nameOf("a.parquet")}.1.part`);
    await writeFile(part, "half of");
    await utimes(part, 1, 1);
    const [a, b] = [await nameOf("a.parquet"), await nameOf("b.parquet")];
    await truncate(join(folder, await nameOf("d.jsonl")), 50);
    await utimes(join(folder, b), 1, 1);
    await utimes(join(folder, a), 2, 2);
    lake.reads.length = 0;
    const engine = cached(300);
    await ask(engine, "a.parquet");
    expect((await readdir(folder)).sort()).toEqual([a, b, await nameOf("c.parquet")].sort());
    await ask(engine, "d.jsonl");
    expect(lake.reads).toEqual(["d.jsonl"]);
    expect(await readdir(folder)).not.toContain(b);
  });

  test("deletes down to a smaller bound", async () => {
    await ask(cached(), "a.parquet", "b.parquet", "c.parquet");
    const cache = await FileCache.open(folder, 100);
    expect(cache.bytes).toBe(100);
    expect(await readdir(folder)).toHaveLength(1);
  });
});
