import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { sha256Hex } from "../../core/checksum.ts";
import { LakeError } from "../../core/errors.ts";
import type { Lake, NewFile } from "../../jobs/lake/lake.ts";

/** A lake under test. */
export interface LakeUnderTest {
  /** Empty. */
  lake: Lake;
  /** The same lake as another process would open it. */
  reopen(): Promise<Lake>;
  /** Takes it away. */
  cleanup(): Promise<void>;
}

const bytesOf = (text: string) => new TextEncoder().encode(text);
const textOf = async (lake: Lake, path: string) => new TextDecoder().decode(await lake.read(path));

/** The code a rejected call carries; fails when it resolves or rejects with anything but a LakeError. */
export async function lakeCode(call: Promise<unknown>): Promise<string> {
  try {
    await call;
  } catch (error) {
    expect(error).toBeInstanceOf(LakeError);
    return (error as LakeError).code;
  }
  throw new Error("Wanted a LakeError, but the call resolved");
}

/**
 * What every lake must keep, whatever holds it.
 *
 * @param open makes an empty lake
 * @param timeoutMs longest run of one test, ms
 */
export function lakeContract(name: string, open: () => Promise<LakeUnderTest>, timeoutMs = 30_000): void {
  describe(`lake contract: ${name}`, () => {
    let made: LakeUnderTest;
    let lake: Lake;

    beforeEach(async () => {
      made = await open();
      lake = made.lake;
    }, timeoutMs);
    afterEach(() => made.cleanup(), timeoutMs);

    const check = (what: string, run: () => Promise<void>) => test(what, run, timeoutMs);

    check("put() writes files into new folders, whole, and list() tells them to any process", async () => {
      const files: NewFile[] = [];
      for (const date of ["2026-01-30", "2026-01-31"])
        for (const hour of ["00", "07", "23"])
          for (const part of ["a", "b"])
            files.push({
              path: `observations/date=${date}/hour=${hour}/topic+0+0+9+1-${part}.jsonl`,
              bytes: bytesOf(`${date}T${hour} ${part}\n`),
            });
      await lake.put(files);
      for (const seen of [lake, await made.reopen()]) {
        for (const file of files) expect(await seen.read(file.path)).toEqual(file.bytes);
        expect(await seen.list("observations")).toEqual([
          { name: "date=2026-01-30", folder: true },
          { name: "date=2026-01-31", folder: true },
        ]);
        expect(await seen.list("observations/date=2026-01-31/hour=07")).toEqual([
          { name: "topic+0+0+9+1-a.jsonl", folder: false },
          { name: "topic+0+0+9+1-b.jsonl", folder: false },
        ]);
      }
    });

    check("put() of no files resolves", async () => {
      await lake.put([]);
      expect(await lake.list("observations")).toEqual([]);
    });

    check("put() calls at the same time, into the same new folders, all arrive", async () => {
      const puts = Array.from({ length: 12 }, (_, i) =>
        lake.put([
          { path: `observations/date=2026-01-31/hour=06/file-${i}`, bytes: bytesOf(`hour ${i}`) },
          { path: `rejected/file-${i}`, bytes: bytesOf(`rejected ${i}`) },
        ]),
      );
      await Promise.all(puts);
      expect(await lake.list("observations/date=2026-01-31/hour=06")).toHaveLength(12);
      for (let i = 0; i < 12; i++) expect(await textOf(lake, `rejected/file-${i}`)).toBe(`rejected ${i}`);
    });

    check("create() of 20 at once lets exactly one win, and its content is whole", async () => {
      const other = await made.reopen();
      const contents = Array.from({ length: 20 }, (_, i) => `entry of ${i}: ${String(i).repeat(5_000)}`);
      const path = "commits/topic/0/000000000001.json";
      const results = await Promise.allSettled(
        contents.map((text, i) => (i % 2 === 0 ? lake : other).create(path, bytesOf(text))),
      );
      const winners = contents.filter((_, i) => results[i]!.status === "fulfilled");
      expect(winners).toHaveLength(1);
      for (const result of results) {
        if (result.status === "fulfilled") continue;
        expect(result.reason).toBeInstanceOf(LakeError);
        expect((result.reason as LakeError).code).toBe("exists");
      }
      expect(await textOf(lake, path)).toBe(winners[0]!);
      expect(await lake.list("commits/topic/0")).toEqual([{ name: "000000000001.json", folder: false }]);
    });

    check("create() refuses a name that a put() has taken, and leaves the file as it is", async () => {
      await lake.put([{ path: "a/b", bytes: bytesOf("first") }]);
      expect(await lakeCode(lake.create("a/b", bytesOf("second")))).toBe("exists");
      expect(await textOf(lake, "a/b")).toBe("first");
    });

    check("create() takes a name again once it was deleted", async () => {
      await lake.create("a/b", bytesOf("first"));
      await lake.delete(["a/b"]);
      await lake.create("a/b", bytesOf("second"));
      expect(await textOf(lake, "a/b")).toBe("second");
    });

    check("create() at different names of one new folder all succeed", async () => {
      await Promise.all(
        Array.from({ length: 20 }, (_, i) => lake.create(`commits/topic/1/${i}`, bytesOf(`entry ${i}`))),
      );
      for (let i = 0; i < 20; i++) expect(await textOf(lake, `commits/topic/1/${i}`)).toBe(`entry ${i}`);
    });

    check("read() of a file, a folder's sibling or a whole path that is not there is `missing`", async () => {
      await lake.put([{ path: "a/b", bytes: bytesOf("x") }]);
      for (const path of ["c", "a/c", "c/d/e"]) expect(await lakeCode(lake.read(path))).toBe("missing");
    });

    check("list() of a folder that is not there is empty", async () => {
      expect(await lake.list("commits")).toEqual([]);
      expect(await lake.list("commits/topic/0")).toEqual([]);
    });

    check("list() sorts by name, marks folders and looks one level deep", async () => {
      await lake.put(
        ["f/b", "f/a", "f/B", "f/10", "f/9", "f/sub/deep", "f/_x"].map((path) => ({
          path,
          bytes: bytesOf(path),
        })),
      );
      expect(await lake.list("f")).toEqual([
        { name: "10", folder: false },
        { name: "9", folder: false },
        { name: "B", folder: false },
        { name: "_x", folder: false },
        { name: "a", folder: false },
        { name: "b", folder: false },
        { name: "sub", folder: true },
      ]);
    });

    check("list() and read() never show an unfinished file", async () => {
      const size = 400_000;
      const writers = Array.from({ length: 8 }, (_, i) => [
        lake.put([{ path: `busy/put-${i}`, bytes: new Uint8Array(size).fill(i) }]),
        lake.create(`busy/create-${i}`, new Uint8Array(size).fill(i)),
      ]).flat();
      let writing = true;
      const written = Promise.all(writers).finally(() => (writing = false));
      const reader = await made.reopen();
      let seen = 0;
      do {
        for (const { name, folder } of await reader.list("busy")) {
          expect(folder).toBe(false);
          expect(name).toMatch(/^(put|create)-\d$/);
          expect((await reader.read(`busy/${name}`)).length).toBe(size);
          seen++;
        }
      } while (writing);
      await written;
      expect(seen).toBeGreaterThan(0);
      expect(await reader.list("busy")).toHaveLength(16);
    });

    check("delete() of what is gone is no error, and takes only what it is told", async () => {
      await lake.delete(["a/b", "c"]);
      await lake.put(["a/b", "a/c", "a/d"].map((path) => ({ path, bytes: bytesOf(path) })));
      await lake.delete(["a/b", "a/x", "a/d"]);
      await lake.delete(["a/b"]);
      expect(await lake.list("a")).toEqual([{ name: "c", folder: false }]);
      expect(await lakeCode(lake.read("a/b"))).toBe("missing");
      expect(await textOf(lake, "a/c")).toBe("a/c");
    });

    check("put() and create() into a folder whose last file was deleted", async () => {
      const other = await made.reopen();
      for (let round = 0; round < 3; round++) {
        const path = `observations/date=2026-01-31/hour=06/file-${round}`;
        await lake.put([{ path, bytes: bytesOf(`round ${round}`) }]);
        expect(await textOf(other, path)).toBe(`round ${round}`);
        await other.delete([path]);
        expect(await lake.list("observations/date=2026-01-31/hour=06")).toEqual([]);
      }
      await lake.create("observations/date=2026-01-31/hour=06/last", bytesOf("x"));
      expect(await textOf(other, "observations/date=2026-01-31/hour=06/last")).toBe("x");
    });

    check("put() while another empties the same folder loses nothing", async () => {
      const folder = "observations/date=2026-01-31/hour=06";
      for (let round = 0; round < 15; round++) {
        const old = `${folder}/old-${round}`;
        await lake.put([{ path: old, bytes: bytesOf("old") }]);
        const fresh = [0, 1, 2].map((i) => `${folder}/new-${round}-${i}`);
        await Promise.all([
          lake.delete([old]),
          ...fresh.map((path) => lake.put([{ path, bytes: bytesOf(path) }])),
        ]);
        for (const path of fresh) expect(await textOf(lake, path)).toBe(path);
        await lake.delete(fresh);
      }
      expect(await lake.list(folder)).toEqual([]);
    });

    const bad = [
      "",
      "/",
      "/etc/passwd",
      "..",
      "a/../b",
      "../a",
      ".",
      "a/./b",
      "a//b",
      "a/",
      ".hidden",
      "a/.hidden",
      "a b",
      "a\\b",
      "a\u0000b",
      "a\nb",
      "é",
      "a%2Fb",
      "a:b",
      "a*",
      "a?b",
      "a#b",
      "x".repeat(201),
    ];
    check("every method refuses a bad path as `bad_path`", async () => {
      for (const path of bad) {
        const calls = [
          lake.put([
            { path: "fine", bytes: bytesOf("x") },
            { path, bytes: bytesOf("x") },
          ]),
          lake.create(path, bytesOf("x")),
          lake.read(path),
          lake.list(path),
          lake.delete([path]),
        ];
        for (const call of calls) expect(await lakeCode(call)).toBe("bad_path");
        expect(() => lake.locate(path)).toThrow(LakeError);
      }
      expect(await lakeCode(lake.read("fine"))).toBe("missing");
    });

    check("names may have every character the lake uses", async () => {
      const path = "observations/date=2026-01-31/hour=06/Topic_1.x-y~z+12+0+99+3-0a1b.jsonl";
      await lake.put([{ path, bytes: bytesOf("x") }]);
      expect(await textOf(lake, path)).toBe("x");
      expect(await lake.list("observations/date=2026-01-31/hour=06")).toHaveLength(1);
    });

    check("locate() tells different places for different files", () => {
      expect(lake.locate("a/b")).not.toBe(lake.locate("a/c"));
      expect(lake.locate("a/b").endsWith("a/b")).toBe(true);
      return Promise.resolve();
    });

    check("empty files, every byte value and 10 MB come back as they were", async () => {
      const large = new Uint8Array(10 * 1024 * 1024);
      for (let i = 0, x = 1; i < large.length; i++) {
        x = (Math.imul(x, 1_103_515_245) + 12_345) >>> 0;
        large[i] = x >>> 24;
      }
      const every = Uint8Array.from({ length: 256 }, (_, i) => i);
      await lake.put([
        { path: "sizes/empty", bytes: new Uint8Array() },
        { path: "sizes/every", bytes: every },
        { path: "sizes/large", bytes: large },
      ]);
      await lake.create("sizes/created-empty", new Uint8Array());
      await lake.create("sizes/created-large", large);
      const seen = await made.reopen();
      expect((await seen.read("sizes/empty")).length).toBe(0);
      expect((await seen.read("sizes/created-empty")).length).toBe(0);
      expect(await seen.read("sizes/every")).toEqual(every);
      expect(sha256Hex(await seen.read("sizes/large"))).toBe(sha256Hex(large));
      expect(sha256Hex(await seen.read("sizes/created-large"))).toBe(sha256Hex(large));
    });

    check("1,000 small files in one call are all there", async () => {
      const files = Array.from({ length: 1_000 }, (_, i) => ({
        path: `many/date=${i % 10}/file-${String(i).padStart(4, "0")}`,
        bytes: bytesOf(`file ${i}`),
      }));
      await lake.put(files);
      const names: string[] = [];
      for (const { name } of await lake.list("many"))
        for (const file of await lake.list(`many/${name}`)) names.push(`many/${name}/${file.name}`);
      expect(names.sort()).toEqual(files.map((file) => file.path).sort());
      for (let i = 0; i < 1_000; i += 97) expect(await lake.read(files[i]!.path)).toEqual(files[i]!.bytes);
      await lake.delete(files.map((file) => file.path));
      for (let i = 0; i < 10; i++) expect(await lake.list(`many/date=${i}`)).toEqual([]);
    });
  });
}
