import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DAY_MS } from "../../core/time.ts";
import { encodeEntry, type BatchEntry } from "../../jobs/commits/entry.ts";
import { fold } from "../../jobs/commits/fold.ts";
import { compactPartition } from "../../jobs/compactor.ts";
import { snapshotFile } from "../../jobs/readers/lake-reader.ts";
import { readRows } from "../../jobs/readers/observation-rows.ts";
import { verifyPartition } from "../../jobs/verify.ts";
import { openDuckDb } from "../../spark/duckdb.ts";
import type { WritingEngine } from "../../spark/engine.ts";
import { sha256Hex } from "../../core/checksum.ts";
import { makeWorkload } from "../crash/workload.ts";
import { at, recordOf, WritePath } from "../support/write-path.ts";
import { JUDGING } from "../support/judging.ts";

let path: WritePath;
let engine: WritingEngine;
beforeEach(async () => {
  path = await WritePath.open();
  await path.clock.advance(DAY_MS); // the record of the day after, which closes the day, is not ahead of it
  engine = await openDuckDb({ tempFolder: join(path.root, ".engine"), threads: 1 });
});
afterEach(async () => {
  await engine.close();
  await path.close();
});

async function write(size = 5): Promise<void> {
  const writer = await path.writer(engine);
  while (writer.next < path.log.all().length) {
    await writer.add(await path.log.read(0, writer.next, size));
    await writer.flush();
  }
}

const verify = () => verifyPartition(path.lake, path.log, engine, 0);

/** Changes the newest batch and one of its files in a way that the files and the entry still agree. */
async function forge(
  change: (lines: Record<string, unknown>[], entry: BatchEntry) => Record<string, unknown>[],
) {
  const { path: name, entry } = (await path.entries()).at(-1)!;
  const { sha256: _, ...batch } = entry;
  const forged = batch as unknown as BatchEntry;
  const file = forged.files[0]!;
  const lines = (await readFile(join(path.root, file.path), "utf8"))
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const bytes = new TextEncoder().encode(
    change(lines, forged)
      .map((line) => `${JSON.stringify(line)}\n`)
      .join(""),
  );
  Object.assign(file, { bytes: bytes.length, sha256: sha256Hex(bytes) });
  await writeFile(join(path.root, file.path), bytes);
  await writeFile(name, encodeEntry(forged));
}

describe("verifyPartition()", () => {
  test("finds nothing wrong with an empty lake", async () => {
    expect(await verify()).toEqual({
      partition: 0,
      low: 0,
      high: 0,
      next: 0,
      behind: 0,
      rows: 0,
      duplicates: 0,
      rejected: 0,
      retractions: [],
      compared: 0,
      files: 0,
      bytes: 0,
      problems: [],
    });
  });

  test("proves that the log is rows + duplicates + rejected, also after a compaction", async () => {
    const workload = makeWorkload(5, { chunks: 6, size: 20 });
    await path.append(...workload.chunks.flat());
    await write();
    for (let round = 0; round < 2; round++) {
      const proof = await verify();
      expect(proof.problems).toEqual([]);
      expect(proof.rows + proof.duplicates + proof.rejected).toBe(121);
      expect(proof).toMatchObject({ low: 0, high: 121, next: 121, behind: 0, compared: 121 });
      expect(Math.min(proof.rows, proof.duplicates, proof.rejected)).toBeGreaterThan(0);
      await compactPartition(path.chain(), { engine, judging: JUDGING }, { afterMs: 0, graceMs: 0 });
    }
    expect((await fold(path.lake, path.log.topic, 0)).removed.size).toBe(0);
  });

  test("tells how far the lake is behind, which is no problem", async () => {
    await path.append(recordOf(), recordOf({ temperature: 6 }));
    await write();
    await path.append(recordOf({ temperature: 7 }));
    expect(await verify()).toMatchObject({ next: 2, high: 3, behind: 1, compared: 2, problems: [] });
  });

  test("compares what retention has left", async () => {
    await path.append(...Array.from({ length: 10 }, (_, i) => recordOf({ temperature: i % 3 })));
    await write();
    path.log.trimTo(6);
    expect(await verify()).toMatchObject({ low: 6, compared: 4, problems: [] });
  });

  describe("with a lake of two rows, a duplicate and a rejected record", () => {
    beforeEach(async () => {
      await path.append(recordOf(), recordOf(), "bad", recordOf({ city: "Paris" }));
      await write();
      expect((await verify()).problems).toEqual([]);
    });

    const file = async (kind: "live" | "rejected") => {
      const state = await fold(path.lake, path.log.topic, 0);
      return join(path.root, kind === "live" ? [...state.live.keys()][0]! : state.rejected[0]!.path);
    };

    for (const kind of ["live", "rejected"] as const) {
      test(`finds a ${kind} file that is gone, cut short or changed`, async () => {
        const name = await file(kind);
        const whole = await readFile(name);
        await writeFile(name, whole.subarray(0, -2));
        expect((await verify()).problems.join()).toMatch(/bytes/);
        await writeFile(
          name,
          whole.map((byte, i) => (i === 5 ? byte ^ 2 : byte)),
        );
        expect((await verify()).problems.join()).toMatch(/another content/);
        await rm(name);
        expect((await verify()).problems.join()).toMatch(/gone/);
      });
    }

    const forgeries: [string, Parameters<typeof forge>[0], RegExp][] = [
      ["another value", (lines) => lines.map((line) => ({ ...line, humidity: 81 })), /other values/],
      ["a lost row", (lines) => lines.slice(1), /1 rows are in the files, their commits say 2/],
      ["a row twice", (lines) => [...lines, lines[0]!], /3 rows are in the files/],
      [
        "a row twice that was counted",
        (lines, entry) => {
          entry.files[0]!.rows++;
          entry.counts.rows++;
          return [...lines, lines[0]!];
        },
        /share an offset/,
      ],
      [
        "a row lost that was not counted",
        (lines, entry) => {
          entry.files[0]!.rows--;
          entry.counts.rows--;
          entry.counts.duplicates++;
          return lines.slice(0, 1);
        },
        /offset 3 is not in the lake/,
      ],
      [
        "a row at the offset of the duplicate",
        (lines) => [{ ...lines[0]!, log_offset: 1 }, lines[1]!],
        /offset 0 is not in the lake/,
      ],
      ["a row beyond the end", (lines) => [lines[0]!, { ...lines[1]!, log_offset: 9 }], /offset 9/],
      [
        "a duplicate counted as rejected",
        (lines, entry) => {
          entry.counts.duplicates--;
          entry.counts.rejected++;
          return lines;
        },
        /rejected/,
      ],
    ];
    for (const [name, change, problem] of forgeries) {
      test(`finds ${name}`, async () => {
        await forge(change);
        const { problems } = await verify();
        expect(problems.join("\n")).toMatch(problem);
      });
    }

    test("finds a revision that was taken for a duplicate", async () => {
      await path.append(recordOf({ temperature: 7, timestamp: at("06:00") }), recordOf({ city: "Rome" }));
      await write();
      await forge((lines, entry) => {
        entry.files[0]!.rows--;
        entry.counts.rows--;
        entry.counts.duplicates++;
        return lines.filter((line) => line["temperature"] !== 7);
      });
      expect((await verify()).problems.join()).toMatch(/offset 4 is a revision that was not stored/);
    });

    test("finds a log that is shorter than the lake, or has lost what comes next", async () => {
      await path.append(recordOf({ temperature: 9 }));
      path.log.trimTo(5);
      expect((await verify()).problems.join()).toMatch(/needs offset 4 next, the log begins at 5/);
    });

    test("finds a log that holds another record", async () => {
      (path.log.all()[3] as { value: string }).value = recordOf({ city: "Oslo" });
      expect((await verify()).problems.join()).toMatch(/offset 3 was stored with other values/);
    });
  });

  describe("with two files of some variables each, in batches of their own", () => {
    const nothing = { pressure: null, rainfall: null, weather_main: null, weather_description: null };
    const warm = { ...nothing, temperature: 6.4, humidity: 93, wind_speed: null };
    const windy = { ...nothing, temperature: null, humidity: null, wind_speed: 4.1 };
    const newest = async () => {
      const state = await fold(path.lake, path.log.topic, 0);
      const files = [...state.live.values()].map((one) => snapshotFile(path.lake, one));
      const day = Date.UTC(2026, 0, 31);
      return (await readRows(engine, { files }, day, day + 86_400_000)).map((row) => [
        row.log_offset,
        row.temperature,
        row.humidity,
        row.wind_speed,
      ]);
    };
    beforeEach(async () => {
      await path.append(recordOf(warm));
      await write();
    });

    test("proves the join, over batches, writers, a replay of the files and a compaction", async () => {
      await path.append(recordOf(windy));
      await write(); // a writer that knows of the first from the lake alone
      await path.append(recordOf(warm), recordOf(windy));
      await write(1);
      for (let round = 0; round < 2; round++) {
        expect(await newest()).toEqual([[1, 6.4, 93, 4.1]]);
        expect(await verify()).toMatchObject({ rows: 2 + round, duplicates: 2, rejected: 0, problems: [] });
        await path.append(recordOf({ timestamp: at("00:00", "2026-02-01") })); // closes the day
        if (round > 0) break;
        await write();
        expect(
          (await compactPartition(path.chain(), { engine, judging: JUDGING }, { afterMs: 0, graceMs: 0 }))
            .report.compacted,
        ).toBe(1);
      }
      await path.append(recordOf({ ...windy, humidity: 90 })); // late: what it joins is in Parquet
      await write();
      expect(await newest()).toEqual([[6, 6.4, 90, 4.1]]);
      expect((await verify()).problems).toEqual([]);
    });

    test("finds a row that wiped what was there", async () => {
      await path.append(recordOf(windy));
      await write();
      await forge((lines) => lines.map((line) => ({ ...line, temperature: null, humidity: null })));
      expect((await verify()).problems.join()).toMatch(
        /offset 1 was stored without values of the row before it/,
      );
    });

    test("finds a row that holds a value of neither", async () => {
      await path.append(recordOf(windy));
      await write();
      await forge((lines) => lines.map((line) => ({ ...line, temperature: 6.5 })));
      expect((await verify()).problems.join()).toMatch(/offset 1 was stored with other values/);
    });

    test("finds a correction that was joined, and proves one that was not", async () => {
      await path.append(recordOf({ ...windy, correction: true }));
      await write();
      expect(await newest()).toEqual([[1, null, null, 4.1]]);
      expect((await verify()).problems).toEqual([]);
      await forge((lines) => lines.map((line) => ({ ...line, temperature: 6.4 })));
      expect((await verify()).problems.join()).toMatch(/offset 1 was stored with other values/);
    });
  });

  test("tells the first problems in full and counts the rest", async () => {
    await path.append(...Array.from({ length: 80 }, (_, i) => recordOf({ city: `City ${i}` })));
    await write(80);
    await forge((lines) => lines.map((line) => ({ ...line, humidity: 81 })));
    const { problems } = await verify();
    expect(problems).toHaveLength(51);
    expect(problems.at(-1)).toBe("and 31 more"); // 80 records and the sums
  });
});
