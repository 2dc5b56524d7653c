import { describe, expect, test } from "bun:test";
import { CommitError, LakeError } from "../../core/errors.ts";
import { makeCheckpoint } from "../../jobs/commits/checkpoint.ts";
import { commitCompaction } from "../../jobs/commits/compaction.ts";
import {
  chainFolder,
  decodeEntry,
  encodeEntry,
  entryPath,
  ENTRY_FORMAT,
  sequenceOf,
  type CheckpointEntry,
  type CompactionEntry,
  type Entry,
  type FileInfo,
} from "../../jobs/commits/entry.ts";
import { fold, type ChainState } from "../../jobs/commits/fold.ts";
import {
  dataFileName,
  dayFolder,
  hourFolder,
  offsetsOf,
  parseDataFileName,
  placeOf,
} from "../../jobs/commits/names.ts";
import { sweep } from "../../jobs/commits/sweep.ts";
import { ChainWriter, type Batch, type Chain } from "../../jobs/commits/writer.ts";
import type { Lake } from "../../jobs/lake/lake.ts";
import { MemoryLake } from "../support/memory-lake.ts";

const TOPIC = "weather";
const FOLDER = "observations/date=2026-01-31/hour=06";
const NOW = Date.UTC(2026, 0, 31, 12);

/** A lake in which something comes before the next create: what another process does, or a failure. */
class ContestedLake extends MemoryLake {
  onCreate: ((path: string, bytes: Uint8Array) => unknown) | undefined;
  creates = 0;

  override async create(path: string, bytes: Uint8Array): Promise<void> {
    this.creates++;
    const { onCreate } = this;
    this.onCreate = undefined;
    await onCreate?.(path, bytes);
    await super.create(path, bytes);
  }
}

function chainOn(lake: Lake, process = "a"): Chain {
  let ids = 0;
  return { lake, topic: TOPIC, partition: 0, newId: () => `${process}${ids++}`, now: () => NOW };
}

const info = (path: string, rows = 1): FileInfo => ({ path, rows, revisions: 0, bytes: 2, sha256: "00" });

function batch(first: number, last: number, files: FileInfo[] = []): Batch {
  return {
    first,
    last,
    files,
    rejected: null,
    counts: { rows: last - first + 1, duplicates: 0, rejected: 0 },
    record: { offset: last, sha256: "00" },
    watermark: "2026-01-31T07:00:00Z",
  };
}

function fileName(claim: number, random: string, format: "jsonl" | "parquet" = "jsonl"): string {
  return `${FOLDER}/${dataFileName({ topic: TOPIC, partition: 0, first: 0, last: 0, sequence: claim, random, format })}`;
}

const claim = (chain: Chain, start = 0) => ChainWriter.claim(chain, start, async () => {});
const foldOf = (lake: Lake, known?: ChainState) => fold(lake, TOPIC, 0, known);
const entriesIn = (lake: ContestedLake) =>
  [...lake.files.keys()].filter((path) => path.startsWith("commits/")).map((path) => path.slice(-6, -5));

/** A lake with a claim (1) and batches of one offset and one file each (2, 3, …). */
async function filled(
  batches: number,
): Promise<{ lake: ContestedLake; writer: ChainWriter; files: string[] }> {
  const lake = new ContestedLake();
  const writer = await claim(chainOn(lake, "w"));
  const files: string[] = [];
  for (let offset = 0; offset < batches; offset++) {
    const path = fileName(writer.claimSequence, `f${offset}`);
    await lake.put([{ path, bytes: new Uint8Array(2) }]);
    await writer.commit(batch(offset, offset, [info(path)]));
    files.push(path);
  }
  return { lake, writer, files };
}

/** Waits for a rejection and returns it. */
async function rejectionOf(promise: Promise<unknown>): Promise<unknown> {
  return await promise.then(
    () => new Error("it did not reject"),
    (error: unknown) => error,
  );
}

async function expectCommitError(promise: Promise<unknown>, code: string, message: RegExp): Promise<void> {
  const error = await rejectionOf(promise);
  expect(error).toBeInstanceOf(CommitError);
  expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
}

describe("fold()", () => {
  test("of no chain is empty, and knows no offset", async () => {
    expect(await foldOf(new ContestedLake())).toMatchObject({
      sequence: 0,
      id: null,
      next: null,
      claim: null,
    });
  });

  test("gives offsets, files, counts and watermark", async () => {
    const { lake, files } = await filled(2);
    const state = await foldOf(lake);
    expect(state).toMatchObject({
      sequence: 3,
      next: 2,
      claim: { id: "w0", sequence: 1 },
      sinceCheckpoint: 3,
    });
    expect(state.counts).toEqual({ rows: 2, duplicates: 0, rejected: 0 });
    expect([...state.live.values()].map((file) => [file.path, file.sequence])).toEqual([
      [files[0]!, 2],
      [files[1]!, 3],
    ]);
    expect(state.watermark).toBe("2026-01-31T07:00:00Z");
  });

  test("begins where the first claim says", async () => {
    const lake = new ContestedLake();
    await claim(chainOn(lake), 17);
    expect((await foldOf(lake)).next).toBe(17);
  });

  test("reads on from what is known, in place, and reads nothing twice", async () => {
    const { lake, writer } = await filled(1);
    const known = await foldOf(lake);
    lake.files.set(entryPath(TOPIC, 0, 1), new TextEncoder().encode("damaged since"));
    await writer.commit(batch(1, 4));
    const state = await foldOf(lake, known);
    expect(state).toBe(known);
    expect(state.next).toBe(5);
  });

  test("stops at a missing entry", async () => {
    const { lake } = await filled(2);
    lake.files.delete(entryPath(TOPIC, 0, 2));
    await expectCommitError(foldOf(lake), "damaged", /entry 2 is missing/);
  });

  test("stops at a missing first entry", async () => {
    const { lake } = await filled(1);
    lake.files.delete(entryPath(TOPIC, 0, 1));
    await expectCommitError(foldOf(lake), "damaged", /entry 1 is missing/);
  });

  test("stops when the chain ends before what is known", async () => {
    const { lake } = await filled(2);
    const known = await foldOf(lake);
    lake.files.delete(entryPath(TOPIC, 0, 3));
    await expectCommitError(foldOf(lake, known), "damaged", /entry 3 is gone/);
  });

  test("stops when the whole chain of a known partition is gone", async () => {
    const { lake } = await filled(1);
    const known = await foldOf(lake);
    lake.files.clear();
    await expectCommitError(foldOf(lake, known), "damaged", /entry 2 is gone/);
  });

  for (const [what, text, message] of [
    ["half a file", '{"format":1,"kind":"ba', /it is not JSON/],
    ["no bytes", "", /it is not JSON/],
    ["null", "null", /it has no format/],
    ["a file without a format", "{}", /it has no format/],
    [
      "text beside its checksum",
      '{"format":1,"id":"x","prev":null,"kind":"batch"}\n',
      /not what its checksum says/,
    ],
    ["sealed without its fields", encodeEntry({ format: ENTRY_FORMAT } as Entry), /fields are missing/],
  ] as const) {
    test(`stops at an entry that is ${what}`, async () => {
      const { lake } = await filled(1);
      lake.files.set(
        entryPath(TOPIC, 0, 2),
        typeof text === "string" ? new TextEncoder().encode(text) : text,
      );
      await expectCommitError(foldOf(lake), "damaged", message);
    });
  }

  test("refuses a newer format, and says so", async () => {
    const { lake } = await filled(1);
    lake.files.set(entryPath(TOPIC, 0, 2), new TextEncoder().encode(`{"format":${ENTRY_FORMAT + 1}}`));
    await expectCommitError(foldOf(lake), "newer_format", /its format is 4, this program reads up to 3/);
  });

  for (const [what, change, message] of [
    ["another predecessor", { prev: "other" }, /names another predecessor/],
    ["another claim", { claim: "other" }, /does not hold the claim/],
    ["a gap in the offsets", { first: 2, last: 2 }, /begins at offset 2, wanted 1/],
    ["offsets committed already", { first: 0, last: 1 }, /begins at offset 0, wanted 1/],
  ] as const) {
    test(`stops at a batch with ${what}`, async () => {
      const { lake } = await filled(2);
      const path = entryPath(TOPIC, 0, 3);
      const entry = decodeEntry(path, await lake.read(path));
      lake.files.set(path, encodeEntry({ ...entry, ...change } as Entry));
      await expectCommitError(foldOf(lake), "damaged", message);
    });
  }

  test("stops at a compaction of what is not live", async () => {
    const { lake } = await filled(1);
    const entry: CompactionEntry = {
      format: ENTRY_FORMAT,
      id: "c",
      prev: (await foldOf(lake)).id,
      at: new Date(NOW).toISOString(),
      kind: "compaction",
      inputs: ["observations/date=2026-01-31/other"],
      output: info(fileName(2, "c", "parquet")),
    };
    await lake.create(entryPath(TOPIC, 0, 3), encodeEntry(entry));
    await expectCommitError(foldOf(lake), "damaged", /which is not live/);
  });

  test("takes what lies below a checkpoint for void", async () => {
    const { lake } = await filled(2);
    await makeCheckpoint(chainOn(lake), await foldOf(lake));
    lake.files.set(entryPath(TOPIC, 0, 3), new TextEncoder().encode("late and void"));
    expect(await foldOf(lake)).toMatchObject({ sequence: 4, next: 2, sinceCheckpoint: 0 });
  });

  test("does not mind other names in the folder", async () => {
    const { lake } = await filled(1);
    lake.files.set(`${chainFolder(TOPIC, 0)}/notes.txt`, new Uint8Array());
    expect((await foldOf(lake)).next).toBe(1);
  });
});

describe("decodeEntry()", () => {
  test("reads what encodeEntry() wrote, and sees any byte of it changed", () => {
    const entry: Entry = {
      format: ENTRY_FORMAT,
      id: "a",
      prev: "b",
      at: "2026-01-31T12:00:00.000Z",
      kind: "claim",
    };
    const bytes = encodeEntry(entry);
    expect(decodeEntry("x", bytes)).toMatchObject(entry);
    for (let at = 0; at < bytes.length; at++) {
      const changed = bytes.slice();
      changed[at]! ^= 1;
      expect(() => decodeEntry("x", changed)).toThrow(CommitError);
    }
  });

  for (const [field, value] of [
    ["claim", undefined],
    ["claim", { id: "x" }],
    ["counts", null],
    ["live", [{}]],
    ["live", [{ ...info("x"), sequence: 1, columns: "uv_index" }]],
    ["live", [{ ...info("x"), sequence: 1, columns: [1] }]],
    ["removed", [{ path: "x", at: "never" }]],
    ["at", "soon"],
    ["next", -1],
  ] as const) {
    test(`refuses a checkpoint whose ${field} is ${JSON.stringify(value)}`, async () => {
      const { lake } = await filled(1);
      await makeCheckpoint(chainOn(lake), await foldOf(lake));
      const path = entryPath(TOPIC, 0, 3);
      const entry = decodeEntry(path, await lake.read(path)) as CheckpointEntry;
      const damaged = encodeEntry({ ...entry, [field]: value } as CheckpointEntry);
      expect(() => decodeEntry(path, damaged)).toThrow(/fields are missing or wrong/);
    });
  }
});

describe("ChainWriter.claim()", () => {
  test("lets the caller look first, and writes nothing when it throws", async () => {
    const lake = new ContestedLake();
    const refuse = async () => {
      throw new CommitError("mismatch", "another log");
    };
    await expectCommitError(ChainWriter.claim(chainOn(lake), 0, refuse), "mismatch", /another log/);
    expect(lake.files.size).toBe(0);
  });

  test("is fenced when another claims at the same time", async () => {
    const lake = new ContestedLake();
    lake.onCreate = async () => void (await claim(chainOn(lake, "b")));
    await expectCommitError(claim(chainOn(lake)), "fenced", /another writer has taken/);
    expect((await foldOf(lake)).claim?.id).toBe("b0");
  });

  test("goes on behind a batch that came in between, and continues where it ended", async () => {
    const { lake, writer } = await filled(1);
    lake.onCreate = () => writer.commit(batch(1, 7));
    const next = await claim(chainOn(lake, "b"));
    expect(next.claimSequence).toBe(4);
    expect(next.state.next).toBe(8);
  });

  test("recognises its claim when the answer was lost", async () => {
    const lake = new ContestedLake();
    lake.onCreate = (path, bytes) => {
      lake.files.set(path, bytes);
      throw new LakeError("unclear", "lost");
    };
    expect((await claim(chainOn(lake))).claimSequence).toBe(1);
    expect(entriesIn(lake)).toEqual(["1"]);
  });
});

describe("ChainWriter.commit()", () => {
  test("tries the identical entry again after a request that may still come", async () => {
    const { lake, writer } = await filled(0);
    let lost: Uint8Array | undefined;
    lake.onCreate = (_, bytes) => {
      lost = bytes;
      throw new LakeError("unclear", "timed out");
    };
    await writer.commit(batch(0, 0));
    expect(await lake.read(entryPath(TOPIC, 0, 2))).toEqual(lost!);
    expect(writer.state.next).toBe(1);
  });

  test("does not try again when the lost one was done", async () => {
    const { lake, writer } = await filled(0);
    lake.onCreate = (path, bytes) => {
      lake.files.set(path, bytes);
      throw new LakeError("unclear", "lost");
    };
    const before = lake.creates;
    await writer.commit(batch(0, 0));
    expect(lake.creates).toBe(before + 1);
    expect((await foldOf(lake)).next).toBe(1);
  });

  test("is fenced by a newer claim, and leaves nothing", async () => {
    const { lake, writer } = await filled(1);
    await claim(chainOn(lake, "b"));
    await expectCommitError(writer.commit(batch(1, 1)), "fenced", /another writer has taken/);
    expect(await foldOf(lake)).toMatchObject({ sequence: 3, next: 1 });
  });

  test("goes on behind a compaction and a checkpoint that trimmed the number it tries", async () => {
    const { lake, writer, files } = await filled(2);
    const other = chainOn(lake, "c");
    const state = await commitCompaction(
      other,
      await foldOf(lake),
      files,
      info(fileName(3, "c", "parquet"), 2),
    );
    await makeCheckpoint(other, state!);
    expect(entriesIn(lake)).toEqual(["5"]);
    await writer.commit(batch(2, 2));
    expect(await foldOf(lake)).toMatchObject({ sequence: 6, next: 3 });
    expect(writer.state.next).toBe(3);
  });

  test("stops loudly when the lake goes on elsewhere", async () => {
    const { lake, writer } = await filled(1);
    const copy = chainOn(lake, "b");
    lake.onCreate = async (path) => {
      const state = await foldOf(lake);
      const entry = {
        ...batch(1, 5),
        format: ENTRY_FORMAT,
        id: copy.newId(),
        prev: state.id,
        at: "2026-01-31T12:00:00Z",
      };
      lake.files.set(path, encodeEntry({ ...entry, kind: "batch", claim: state.claim!.id }));
    };
    await expectCommitError(writer.commit(batch(1, 1)), "damaged", /offsets 1–1 .* goes on at 6/);
  });

  test("passes on that the lake is away", async () => {
    const { lake, writer } = await filled(0);
    lake.onCreate = () => {
      throw new LakeError("unavailable", "away");
    };
    expect(await rejectionOf(writer.commit(batch(0, 0)))).toMatchObject({ code: "unavailable" });
    expect((await foldOf(lake)).next).toBe(0);
  });
});

describe("commitCompaction()", () => {
  const output = info(fileName(3, "out", "parquet"), 2);

  test("replaces its inputs, and remembers when", async () => {
    const { lake, files } = await filled(2);
    await commitCompaction(chainOn(lake), await foldOf(lake), files, output);
    const state = await foldOf(lake);
    expect([...state.live.keys()]).toEqual([output.path]);
    expect([...state.removed]).toEqual(files.map((path): [string, number] => [path, NOW]));
    expect(state).toMatchObject({ next: 2, counts: { rows: 2 } });
  });

  test("goes on behind a batch", async () => {
    const { lake, writer, files } = await filled(2);
    lake.onCreate = () => writer.commit(batch(2, 2));
    const state = await commitCompaction(chainOn(lake), await foldOf(lake), files, output);
    expect(state).toMatchObject({ sequence: 5, next: 3 });
  });

  test("gives up when another has replaced an input, before and after the first try", async () => {
    const { lake, files } = await filled(2);
    const other = info(fileName(3, "other", "parquet"), 2);
    const stale = await foldOf(lake);
    lake.onCreate = async () =>
      void (await commitCompaction(chainOn(lake, "b"), await foldOf(lake), files, other));
    expect(await commitCompaction(chainOn(lake), stale, files, output)).toBeNull();
    expect(await commitCompaction(chainOn(lake), await foldOf(lake), files, output)).toBeNull();
    expect(await foldOf(lake)).toMatchObject({ sequence: 4 });
  });

  test("is done when its answer was lost and its output is compacted already", async () => {
    const { lake, files } = await filled(2);
    lake.onCreate = async (path, bytes) => {
      lake.files.set(path, bytes);
      const again = info(fileName(4, "again", "parquet"), 2);
      await commitCompaction(chainOn(lake, "b"), await foldOf(lake), [output.path], again);
      throw new LakeError("unclear", "lost");
    };
    expect(await commitCompaction(chainOn(lake), await foldOf(lake), files, output)).not.toBeNull();
  });
});

describe("makeCheckpoint()", () => {
  test("holds all a reader needs, and deletes what lies below", async () => {
    const { lake, files } = await filled(3);
    const output = info(fileName(4, "out", "parquet"), 2);
    await commitCompaction(chainOn(lake, "c"), await foldOf(lake), files.slice(0, 2), output);
    const before = await foldOf(lake);
    expect(await makeCheckpoint(chainOn(lake), await foldOf(lake))).toBe(true);
    expect(entriesIn(lake)).toEqual(["6"]);
    const after = await foldOf(lake);
    expect(after).toEqual({ ...before, sequence: 6, id: after.id, sinceCheckpoint: 0 });
  });

  test("forgets the removed files it is told to", async () => {
    const { lake, files } = await filled(2);
    const output = info(fileName(3, "out", "parquet"), 2);
    const state = await commitCompaction(chainOn(lake, "c"), await foldOf(lake), files, output);
    await makeCheckpoint(chainOn(lake), state!, new Set([files[0]!]));
    expect([...(await foldOf(lake)).removed.keys()]).toEqual([files[1]!]);
  });

  test("gives up when its number is taken", async () => {
    const { lake, writer } = await filled(1);
    lake.onCreate = () => writer.commit(batch(1, 1));
    expect(await makeCheckpoint(chainOn(lake), await foldOf(lake))).toBe(false);
    expect(await foldOf(lake)).toMatchObject({ sequence: 3, next: 2 });
  });

  test("makes none of an empty chain", async () => {
    const lake = new ContestedLake();
    expect(await makeCheckpoint(chainOn(lake), await foldOf(lake))).toBe(false);
    expect(lake.files.size).toBe(0);
  });
});

describe("sweep()", () => {
  const put = (lake: Lake, path: string) => lake.put([{ path, bytes: new Uint8Array(2) }]);

  test("deletes what an older claim left, and nothing of the claim in force", async () => {
    const { lake, files } = await filled(1);
    const old = fileName(1, "leftover");
    await put(lake, old);
    expect((await sweep(chainOn(lake), [FOLDER], 0)).deleted).toEqual([]);
    const newer = await claim(chainOn(lake, "b"));
    const underWay = fileName(newer.claimSequence, "underway");
    await put(lake, underWay);
    expect((await sweep(chainOn(lake), [FOLDER], 0)).deleted).toEqual([old]);
    expect(lake.files.has(underWay)).toBe(true);
    expect(lake.files.has(files[0]!)).toBe(true);
  });

  test("deletes replaced files after their grace only", async () => {
    const { lake, files } = await filled(2);
    const output = info(fileName(3, "out", "parquet"), 2);
    await put(lake, output.path);
    await commitCompaction(chainOn(lake), await foldOf(lake), files, output);
    expect((await sweep(chainOn(lake), [FOLDER], 1)).deleted).toEqual([]);
    const swept = await sweep(chainOn(lake), [FOLDER], 0);
    expect(swept.deleted).toEqual(files);
    expect([...swept.forget]).toEqual(files);
    expect(lake.files.has(output.path)).toBe(true);
  });

  test("spares the output of a compaction under way, and deletes it once its inputs are gone", async () => {
    const { lake, files } = await filled(2);
    const underWay = fileName(3, "underway", "parquet");
    await put(lake, underWay);
    expect((await sweep(chainOn(lake), [FOLDER], 1)).deleted).toEqual([]);
    await commitCompaction(chainOn(lake), await foldOf(lake), files, info(fileName(3, "out", "parquet"), 2));
    expect((await sweep(chainOn(lake), [FOLDER], 1)).deleted).toEqual([underWay]);
  });

  test("spares committed rejected records, other partitions and names it does not know", async () => {
    const { lake, writer } = await filled(0);
    const rejected = fileName(1, "r").replace(FOLDER, "rejected");
    const others = [`${FOLDER}/notes.txt`, fileName(1, "x").replace("weather+0", "weather+1")];
    for (const path of [rejected, ...others]) await put(lake, path);
    await writer.commit({ ...batch(0, 0), rejected: info(rejected) });
    await claim(chainOn(lake, "b"));
    expect((await sweep(chainOn(lake), [FOLDER, "rejected"], 0)).deleted).toEqual([]);
  });
});

describe("names", () => {
  test("dataFileName() and parseDataFileName() are each other's inverse", () => {
    for (const topic of ["weather", "a-b_c.d"]) {
      for (const format of ["jsonl", "parquet"] as const) {
        const name = {
          topic,
          partition: 3,
          first: 0,
          last: 2 ** 53 - 1,
          sequence: 12,
          random: "a0z9",
          format,
        };
        expect(parseDataFileName(dataFileName(name))).toEqual(name);
      }
    }
  });

  test("parseDataFileName() does not know any other name", () => {
    for (const name of [
      "",
      "notes.txt",
      "t+0+0+0+1-a.json",
      "t+0+0+0+1-.jsonl",
      "t+0+0+0+1-a.jsonl.tmp",
      "t+0+0+1-a.jsonl",
    ])
      expect(parseDataFileName(name)).toBeUndefined();
  });

  test("offsetsOf() reads the offsets in a name, wherever the file lies", () => {
    const name = {
      topic: TOPIC,
      partition: 0,
      first: 4,
      last: 9,
      sequence: 1,
      random: "a",
      format: "jsonl" as const,
    };
    expect(offsetsOf(`${hourFolder("2026-01-31T06")}/${dataFileName(name)}`)).toEqual({ first: 4, last: 9 });
    expect(() => offsetsOf("rejected/x")).toThrow(/Cannot read the offsets in the name of rejected\/x/);
  });

  test("placeOf() reads what hourFolder() and dayFolder() say", () => {
    expect(placeOf(`${hourFolder("2026-01-31T06")}/x`)).toEqual({ date: "2026-01-31", hour: "06" });
    expect(placeOf(`${dayFolder("2026-01-31")}/x`)).toEqual({ date: "2026-01-31", hour: null });
    expect(() => placeOf("rejected/x")).toThrow(/Cannot tell the day of rejected\/x/);
  });

  test("sequenceOf() reads the name in entryPath(), and no other", () => {
    for (const sequence of [1, 42, 999_999_999_999]) {
      const path = entryPath(TOPIC, 7, sequence);
      expect(path.startsWith(`${chainFolder(TOPIC, 7)}/`)).toBe(true);
      expect(sequenceOf(path.slice(path.lastIndexOf("/") + 1))).toBe(sequence);
    }
    for (const name of ["1.json", "000000000001.json.tmp", "0000000000001.json", ".json"])
      expect(sequenceOf(name)).toBeUndefined();
  });
});
