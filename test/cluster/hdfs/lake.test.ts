import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { sha256Hex } from "../../../core/checksum.ts";
import { formatTimestamp, HOUR_MS } from "../../../core/time.ts";
import { decodeEntry, JUDGED_FORMAT, type FileInfo } from "../../../jobs/commits/entry.ts";
import { fold } from "../../../jobs/commits/fold.ts";
import { dataFileName, hourFolder } from "../../../jobs/commits/names.ts";
import { ChainWriter, type Chain } from "../../../jobs/commits/writer.ts";
import { compactPartition } from "../../../jobs/compactor.ts";
import { LakeReader } from "../../../jobs/readers/lake-reader.ts";
import { cachedEngine } from "../../../jobs/lake/cached-engine.ts";
import type { Lake } from "../../../jobs/lake/lake.ts";
import { rowsOf } from "../../../spark/arrow.ts";
import { openDuckDb } from "../../../spark/duckdb.ts";
import { lakeCode, lakeContract } from "../../contract/lake-contract.ts";
import { row } from "../../support/lake-files.ts";
import { TestHdfs } from "./server.ts";
import { JUDGING } from "../../support/judging.ts";

const LIMIT_MS = 120_000;
const bytesOf = (text: string) => new TextEncoder().encode(text);

let hdfs: TestHdfs;
beforeAll(async () => {
  hdfs = await TestHdfs.start(1);
});
afterAll(() => hdfs.stop(), LIMIT_MS);

let datasets = 0;
lakeContract(
  "HDFS",
  async () => {
    const dataset = `contract-${++datasets}`;
    return {
      lake: await hdfs.open(dataset),
      reopen: () => hdfs.open(dataset),
      cleanup: async () => void (await hdfs.rest("DELETE", `/isobar/${dataset}`, "op=DELETE&recursive=true")),
    };
  },
  LIMIT_MS,
);

const check = (what: string, run: () => Promise<void>) => test(what, run, LIMIT_MS);

describe("openHdfsLake() on a real HDFS", () => {
  check("FsShell lists what the lake lists, and reads what it reads", async () => {
    const lake = await hdfs.open("shell");
    const files = [
      "observations/date=2026-01-31/hour=06/a+0.jsonl",
      "rejected/x=1~2.jsonl",
      "commits/t/0/1.json",
    ];
    await lake.put(files.map((path) => ({ path, bytes: bytesOf(`content of ${path}\n`) })));
    const { code, out } = await hdfs.server.fsShell(["-ls", "-R", "/isobar/shell"]);
    expect(code).toBe(0);
    const listed = out.split("\n").filter((line) => line.startsWith("-"));
    expect(listed.map((line) => line.slice(line.indexOf("/isobar/shell/") + 14)).sort()).toEqual(
      files.sort(),
    );
    const read = await hdfs.server.fsShell(["-cat", ...files.map((path) => lake.locate(path))]);
    expect(read.out).toBe(files.map((path) => `content of ${path}\n`).join(""));
  });

  check("create() under concurrency: of 40 writers of 10 names each name has one winner", async () => {
    const lakes = await Promise.all([0, 1, 2, 3].map(() => hdfs.open("race")));
    const tries = Array.from({ length: 40 }, (_, i) => ({ path: `commits/t/0/${i % 10}`, text: `by ${i}` }));
    const results = await Promise.allSettled(
      tries.map(({ path, text }, i) => lakes[i % 4]!.create(path, bytesOf(text))),
    );
    const winners = tries.filter((_, i) => results[i]!.status === "fulfilled");
    expect(winners.map(({ path }) => path).sort()).toEqual(
      Array.from({ length: 10 }, (_, i) => `commits/t/0/${i}`),
    );
    for (const { path, text } of winners) expect(await lakes[0]!.read(path)).toEqual(bytesOf(text));
    const left = await (await hdfs.rest("GET", "/isobar/race/.tmp", "op=LISTSTATUS")).text();
    expect(left).not.toContain('"FILE"');
  });

  check("list() walks a folder of more than a page", async () => {
    const lake = await hdfs.open("pages");
    await lake.put([{ path: "many/first", bytes: bytesOf("x") }]);
    // Folders are made by the NameNode alone, which is quick.
    const names = Array.from({ length: 2_500 }, (_, i) => `d${String(i).padStart(4, "0")}`);
    for (let i = 0; i < names.length; i += 50)
      await Promise.all(
        names.slice(i, i + 50).map((name) => hdfs.rest("PUT", `/isobar/pages/many/${name}`, "op=MKDIRS")),
      );
    expect((await lake.list("many")).map(({ name }) => name)).toEqual([...names, "first"]);
  });

  check("quotas are `full`, and the flow resumes when they are raised", async () => {
    const lake = await hdfs.open("quota");
    const file = { path: "a", bytes: bytesOf("x") };
    for (const [set, clear] of [
      [["-setQuota", "3"], "-clrQuota"],
      [["-setSpaceQuota", "1000"], "-clrSpaceQuota"],
    ] as const) {
      expect((await hdfs.server.admin([...set, "/isobar/quota"])).code).toBe(0);
      if (clear === "-clrQuota") await lake.put([{ path: "fits", bytes: bytesOf("x") }]);
      expect(await lakeCode(lake.put([file]))).toBe("full");
      expect(await lakeCode(lake.create("b", bytesOf("x")))).toBe("full");
      expect((await hdfs.server.admin([clear, "/isobar/quota"])).code).toBe(0);
    }
    await lake.put([file]);
    expect(await lake.read("a")).toEqual(file.bytes);
  });

  check("another user is refused as `unwritable`, in a folder that is there and in a new one", async () => {
    const own = await hdfs.open("permission");
    await own.put([{ path: "a/b", bytes: bytesOf("x") }]);
    expect(await lakeCode(hdfs.open("permission", { user: "stranger" }))).toBe("unwritable");
    expect(await lakeCode(hdfs.open("permission-2", { user: "stranger" }))).toBe("unwritable");
  });

  check("a client cut off in mid-write leaves nothing that anybody reads", async () => {
    const lake = await hdfs.open("cut");
    const redirect = await fetch(
      `${hdfs.server.webUrl}/webhdfs/v1/isobar/cut/.tmp/cut-off?user.name=${hdfs.server.user}&op=CREATE`,
      { method: "PUT", redirect: "manual" },
    );
    const { hostname, port, pathname, search } = new URL(redirect.headers.get("location")!);
    const closed = Promise.withResolvers<void>();
    const socket = await Bun.connect({
      hostname,
      port: Number(port),
      socket: { data() {}, close: () => closed.resolve() },
    });
    socket.write(`PUT ${pathname}${search} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nhalf`);
    socket.end();
    await closed.promise;
    await lake.put([{ path: "whole", bytes: bytesOf("whole") }]);
    const reader = await hdfs.open("cut");
    expect(await reader.read("whole")).toEqual(bytesOf("whole"));
    const names = async (folder: string) => {
      const answer = await hdfs.rest("GET", folder, "op=LISTSTATUS");
      return [...(await answer.text()).matchAll(/"pathSuffix":"([^"]+)"/g)].map((match) => match[1]);
    };
    expect(await names("/isobar/cut")).toEqual([".tmp", "whole"]);
    expect(await names("/isobar/cut/.tmp")).toEqual(["cut-off"]);
  });
});

describe("the commit protocol over HDFS", () => {
  const TOPIC = "weather.live";
  const HOUR = "2026-01-01T00";
  const START = Date.parse(`${HOUR}:00:00Z`);

  const chainOf = (lake: Lake): Chain => ({
    lake,
    topic: TOPIC,
    partition: 0,
    newId: () => crypto.randomUUID().replaceAll("-", ""),
    now: () => START + 48 * HOUR_MS,
  });

  /** Puts and commits a file of 10 rows from offset `first` on. */
  async function commitBatch(chain: Chain, writer: ChainWriter, first: number): Promise<void> {
    const rows = Array.from({ length: 10 }, (_, i) =>
      row({
        timestamp: formatTimestamp(START + (first + i) * 1_000),
        temperature: first + i,
        log_offset: first + i,
      }),
    );
    const bytes = bytesOf(rows.map((one) => `${JSON.stringify(one)}\n`).join(""));
    const name = dataFileName({
      topic: TOPIC,
      partition: 0,
      first,
      last: first + 9,
      sequence: writer.claimSequence,
      random: chain.newId().slice(0, 8),
      format: "jsonl",
    });
    const path = `${hourFolder(HOUR)}/${name}`;
    const file: FileInfo = { path, rows: 10, revisions: 0, bytes: bytes.length, sha256: sha256Hex(bytes) };
    await chain.lake.put([{ path, bytes }]);
    await writer.commit({
      first,
      last: first + 9,
      files: [file],
      rejected: null,
      counts: { rows: 10, duplicates: 0, rejected: 0 },
      record: { offset: first + 9, sha256: sha256Hex("record") },
      watermark: rows.at(-1)!.timestamp,
    });
  }

  const sum = async (reader: LakeReader, engine: ReturnType<typeof cachedEngine>) => {
    const table = await reader.read(undefined, ({ snapshot }) =>
      engine.query("SELECT count(*) AS n, sum(temperature) AS sum FROM observations", { snapshot }),
    );
    const [{ n, sum }] = rowsOf(table) as [{ n: unknown; sum: unknown }];
    return { n: Number(n), sum: Number(sum) };
  };

  check(
    "writers take over, a fenced one cannot commit, DuckDB reads and compacts through the cache",
    async () => {
      const lake = await hdfs.open("commits");
      const chain = chainOf(lake);
      const first = await ChainWriter.claim(chain, 0, () => Promise.resolve());
      await commitBatch(chain, first, 0);
      await commitBatch(chain, first, 10);
      const second = await ChainWriter.claim(chainOf(await hdfs.open("commits")), 0, () => Promise.resolve());
      const late = commitBatch(chain, first, 20);
      expect(
        await late.then(
          () => "committed",
          (error: { code?: string }) => error.code,
        ),
      ).toBe("fenced");
      await commitBatch(chain, second, 20);

      const cache = join(hdfs.folder, "cache");
      const duckDb = await openDuckDb({
        tempFolder: join(hdfs.folder, "duckdb"),
        threads: 2,
        folders: [cache],
      });
      const engine = cachedEngine({ engine: duckDb, lake, folder: cache, maxBytes: 1_000_000 });
      try {
        const reader = new LakeReader(lake, TOPIC, () => START);
        const wanted = { n: 30, sum: 435 };
        expect(await sum(reader, engine)).toEqual(wanted);

        const stale = new LakeReader(lake, TOPIC, () => START);
        await stale.refresh();
        const { state, report } = await compactPartition(
          chain,
          { engine, judging: JUDGING },
          {
            afterMs: -48 * HOUR_MS,
            graceMs: 0,
          },
        );
        // The fenced writer's file goes as well.
        expect(report).toEqual({ compacted: 1, judged: 1, deleted: 4 });
        expect([...state.live.keys()].every((path) => path.endsWith(".parquet"))).toBe(true);
        // One reader still knows the deleted files, and finds copies of them; another finds none, and folds again.
        expect(await sum(reader, engine)).toEqual(wanted);
        const empty = cachedEngine({
          engine: duckDb,
          lake,
          folder: join(cache, "empty"),
          maxBytes: 1_000_000,
        });
        expect((await stale.snapshot()).snapshot.files).toHaveLength(3);
        expect(await sum(stale, empty)).toEqual(wanted);
        expect((await stale.snapshot()).snapshot.files).toHaveLength(1);

        const folded = await fold(lake, TOPIC, 0);
        expect(folded.next).toBe(30);
        expect(folded.counts.rows).toBe(30);
        const [entry] = await lake.list(`commits/${TOPIC}/0`);
        const path = `commits/${TOPIC}/0/${entry!.name}`;
        expect(decodeEntry(path, await lake.read(path)).format).toBe(JUDGED_FORMAT);
      } finally {
        await engine.close();
      }
    },
  );
});
