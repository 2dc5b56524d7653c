import { afterAll, describe, expect, test } from "bun:test";
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { LakeError } from "../../../core/errors.ts";
import { DAY_MS } from "../../../core/time.ts";
import { nodeDisk, type Disk } from "../../../jobs/lake/disk.ts";
import { openLocalLake } from "../../../jobs/lake/local.ts";
import { lakeCode, lakeContract } from "../../contract/lake-contract.ts";

const home = await mkdtemp(join(tmpdir(), "isobar-lake-"));
afterAll(() => rm(home, { recursive: true, force: true }));
let folders = 0;
const newFolder = () => join(home, String(++folders));

lakeContract("local folder", async () => {
  const root = newFolder();
  const lake = await openLocalLake(join(root, "lake", "live"));
  return {
    lake,
    reopen: () => openLocalLake(join(root, "lake", "live")),
    cleanup: () => rm(root, { recursive: true, force: true }),
  };
});

/** An error as Node throws it. */
function failure(code: string): Error {
  return Object.assign(new Error(`${code}: injected by the test`), { code });
}

/** The machine's disk, with some operations of a test's own. */
const diskWith = (changed: Partial<Disk>): Disk => ({ ...nodeDisk, ...changed });

const bytes = new TextEncoder().encode("content\n");

/** Every file below a folder, as paths relative to it; unfinished ones included. */
async function filesBelow(root: string): Promise<string[]> {
  const entries = await readdir(root, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .sort();
}

describe("openLocalLake() on a faulty disk", () => {
  for (const step of ["write", "half a write", "sync"] as const) {
    test(`a disk that fills up in ${step} is \`full\`, and nothing partial is left`, async () => {
      const root = newFolder();
      let full = false;
      const disk = diskWith({
        async write(path, content) {
          if (full && step === "write") throw failure("ENOSPC");
          if (full && step === "half a write") {
            await writeFile(path, content.slice(0, content.length / 2));
            throw failure("ENOSPC");
          }
          const file = await nodeDisk.write(path, content);
          return { ...file, sync: async () => (full ? Promise.reject(failure("ENOSPC")) : file.sync()) };
        },
      });
      const lake = await openLocalLake(root, { disk });
      await lake.put([{ path: "a/before", bytes }]);
      full = true;
      expect(await lakeCode(lake.put([{ path: "a/put", bytes }]))).toBe("full");
      expect(await lakeCode(lake.create("a/created", bytes))).toBe("full");
      const many = Array.from({ length: 50 }, (_, i) => ({ path: `b/put-${i}`, bytes }));
      expect(await lakeCode(lake.put(many))).toBe("full");
      expect(await filesBelow(root)).toEqual(["a/before"]);
      full = false;
      await lake.put([{ path: "a/put", bytes }]);
      await lake.create("a/created", bytes);
      expect(await filesBelow(root)).toEqual(["a/before", "a/created", "a/put"]);
    });
  }

  test("a disk that is full from the start is `full`, not a file system without hard links", async () => {
    const disk = diskWith({ link: () => Promise.reject(failure("ENOSPC")) });
    expect(await lakeCode(openLocalLake(newFolder(), { disk }))).toBe("full");
  });

  test("a folder that may not be written is `unwritable` at open and at put, and says what to do", async () => {
    let allowed = false;
    const deny = () => Promise.reject(failure("EACCES"));
    const disk = diskWith({
      makeFolder: (path) => (allowed ? nodeDisk.makeFolder(path) : deny()),
      write: (path, content) => (allowed ? nodeDisk.write(path, content) : deny()),
    });
    const root = newFolder();
    const refused = await openLocalLake(root, { disk }).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(LakeError);
    expect((refused as LakeError).code).toBe("unwritable");
    expect((refused as LakeError).message).toContain(root);
    expect((refused as LakeError).hint).toContain("DATA_DIR");
    allowed = true;
    const lake = await openLocalLake(root, { disk });
    await lake.put([{ path: "a/b", bytes }]);
    allowed = false;
    expect(await lakeCode(lake.put([{ path: "a/c", bytes }]))).toBe("unwritable");
    expect(await lakeCode(lake.put([{ path: "new/c", bytes }]))).toBe("unwritable");
    expect(await lakeCode(lake.create("a/d", bytes))).toBe("unwritable");
    expect(await lake.read("a/b")).toEqual(Buffer.from(bytes));
  });

  test("a file where the lake should be is `unwritable`", async () => {
    const root = newFolder();
    await writeFile(root, "a file");
    expect(await lakeCode(openLocalLake(join(root, "lake")))).toBe("unwritable");
  });

  for (const code of ["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"]) {
    test(`a file system that answers a link with ${code} is refused at open`, async () => {
      const root = newFolder();
      const disk = diskWith({ link: () => Promise.reject(failure(code)) });
      expect(await lakeCode(openLocalLake(root, { disk }))).toBe("no_hard_links");
      expect(await filesBelow(root)).toEqual([]);
    });
  }

  test("create() is `unclear` when the folder cannot be synced after the link, and a listing repeats the sync", async () => {
    const root = newFolder();
    let broken = false;
    const synced: string[] = [];
    const disk = diskWith({
      async link(from, to) {
        await nodeDisk.link(from, to);
        if (basename(to) === "000000000002.json") broken = true;
      },
      async syncFolder(path) {
        if (broken) throw failure("EIO");
        await nodeDisk.syncFolder(path);
        synced.push(path);
      },
    });
    const lake = await openLocalLake(root, { disk });
    await lake.create("commits/t/0/000000000001.json", bytes);
    expect(await lakeCode(lake.create("commits/t/0/000000000002.json", bytes))).toBe("unclear");
    // What cannot be made durable must not be told as committed.
    expect(await lakeCode(lake.list("commits/t/0"))).toBe("unavailable");
    broken = false;
    synced.length = 0;
    expect((await lake.list("commits/t/0")).map((entry) => entry.name)).toEqual([
      "000000000001.json",
      "000000000002.json",
    ]);
    expect(synced).toEqual([join(root, "commits/t/0")]);
    await lake.list("commits/t/0");
    expect(synced).toHaveLength(1);
    expect(await lakeCode(lake.create("commits/t/0/000000000002.json", bytes))).toBe("exists");
  });

  test("create() is `unclear` when its temporary cannot be removed after the link", async () => {
    const disk = diskWith({
      unlink: (path) =>
        basename(path).length === 36 && armed ? Promise.reject(failure("EIO")) : nodeDisk.unlink(path),
    });
    let armed = false;
    const lake = await openLocalLake(newFolder(), { disk });
    armed = true;
    expect(await lakeCode(lake.create("a/b", bytes))).toBe("unclear");
  });

  test("create() that fails before the link has no effect and is not `unclear`", async () => {
    let broken = false;
    const disk = diskWith({
      link: (from, to) => (broken ? Promise.reject(failure("EIO")) : nodeDisk.link(from, to)),
    });
    const root = newFolder();
    const lake = await openLocalLake(root, { disk });
    broken = true;
    expect(await lakeCode(lake.create("a/b", bytes))).toBe("unavailable");
    expect(await filesBelow(root)).toEqual([]);
  });

  test("put() that cannot sync its folder rejects", async () => {
    let broken = false;
    const disk = diskWith({
      syncFolder: (path) => (broken ? Promise.reject(failure("EIO")) : nodeDisk.syncFolder(path)),
    });
    const lake = await openLocalLake(newFolder(), { disk });
    await lake.put([{ path: "a/b", bytes }]);
    broken = true;
    expect(await lakeCode(lake.put([{ path: "a/c", bytes }]))).toBe("unavailable");
  });

  test("a failing put() settles only when every file it began has ended", async () => {
    let active = 0;
    const disk = diskWith({
      async write(path, content) {
        active++;
        const file = await nodeDisk.write(path, content);
        return {
          ...file,
          async close() {
            await file.close();
            active--;
          },
        };
      },
      rename: () => Promise.reject(failure("EIO")),
    });
    const lake = await openLocalLake(newFolder(), { disk });
    const many = Array.from({ length: 40 }, (_, i) => ({ path: `a/${i}`, bytes }));
    expect(await lakeCode(lake.put(many))).toBe("unavailable");
    expect(active).toBe(0);
  });
});

describe("openLocalLake() durability", () => {
  /** Records the order of operations as `name path`, with the root cut off. */
  function recorded(root: string): { disk: Disk; steps: string[] } {
    const steps: string[] = [];
    const told = (path: string) => (path.includes("/.tmp/") ? "temporary" : path.slice(root.length) || "/");
    const disk: Disk = {
      ...nodeDisk,
      async write(path, content) {
        steps.push(`write ${told(path)}`);
        const file = await nodeDisk.write(path, content);
        return {
          close: file.close,
          sync: () => {
            steps.push(`sync ${told(path)}`);
            return file.sync();
          },
        };
      },
      rename: (from, to) => (steps.push(`rename ${told(to)}`), nodeDisk.rename(from, to)),
      link: (from, to) => (steps.push(`link ${told(to)}`), nodeDisk.link(from, to)),
      makeFolder: (path) => (steps.push(`make ${told(path)}`), nodeDisk.makeFolder(path)),
      syncFolder: (path) => (steps.push(`sync folder ${told(path)}`), nodeDisk.syncFolder(path)),
    };
    return { disk, steps };
  }

  test("put() writes, syncs, renames, and syncs the folder and the parents of new ones", async () => {
    const root = newFolder();
    const { disk, steps } = recorded(root);
    const lake = await openLocalLake(root, { disk });
    steps.length = 0;
    await lake.put([{ path: "a/b/file", bytes }]);
    expect(steps).toEqual([
      "make /a",
      "make /a/b",
      "sync folder /",
      "sync folder /a",
      "write temporary",
      "sync temporary",
      "rename /a/b/file",
      "sync folder /a/b",
    ]);
    steps.length = 0;
    await lake.put([{ path: "a/b/file-2", bytes }]);
    expect(steps).toEqual(["write temporary", "sync temporary", "rename /a/b/file-2", "sync folder /a/b"]);
  });

  test("create() syncs a file, makes the entries before it durable, links it, and syncs the folder", async () => {
    const root = newFolder();
    const { disk, steps } = recorded(root);
    const lake = await openLocalLake(root, { disk });
    await lake.create("a/first", bytes);
    steps.length = 0;
    await lake.create("a/second", bytes);
    expect(steps).toEqual([
      "write temporary",
      "sync temporary",
      "sync folder /a",
      "link /a/second",
      "sync folder /a",
    ]);
  });

  test("a root below new folders syncs each name, also one that a killed process made and did not sync", async () => {
    const base = newFolder();
    await mkdir(join(base, "data"), { recursive: true });
    const root = join(base, "data", "lake", "live");
    const synced: string[] = [];
    const disk = diskWith({
      syncFolder: (path) => (synced.push(path), nodeDisk.syncFolder(path)),
    });
    await openLocalLake(root, { disk });
    for (const path of [dirname(root), join(base, "data"), base]) expect(synced).toContain(path);
  });

  test("put() syncs the parent of a folder that another call dropped and a third one is making again", async () => {
    const root = newFolder();
    const parent = join(root, "a");
    const folder = join(parent, "b");
    const parentSync = Promise.withResolvers<void>();
    const renameOfSecond = Promise.withResolvers<void>();
    const parentBegun = Promise.withResolvers<void>();
    let armed = false;
    let parentSyncs = 0;
    const disk = diskWith({
      async rename(from, to) {
        if (armed && basename(to) === "second") await renameOfSecond.promise;
        return nodeDisk.rename(from, to);
      },
      async syncFolder(path) {
        if (armed && path === parent) {
          parentSyncs++;
          parentBegun.resolve();
          await parentSync.promise;
        }
        return nodeDisk.syncFolder(path);
      },
    });
    const lake = await openLocalLake(root, { disk });
    await lake.put([{ path: "a/b/old", bytes }]);
    armed = true;
    let secondDone = false;
    const second = lake.put([{ path: "a/b/second", bytes }]).then(() => (secondDone = true));
    await lake.delete(["a/b/old"]); // drops a/b under the second call
    const first = lake.put([{ path: "a/b/first", bytes }]); // makes it again, and is held at its parent's sync
    await parentBegun.promise;
    renameOfSecond.resolve(); // into the folder whose name is not durable yet
    while (parentSyncs < 2 && !secondDone) await new Promise((done) => setImmediate(done));
    expect(secondDone).toBe(false);
    parentSync.resolve();
    await Promise.all([first, second]);
    expect((await readdir(folder)).sort()).toEqual(["first", "second"]);
  });
});

describe("openLocalLake() leftovers", () => {
  test("temporaries older than a day go at open; younger ones may be another process's and stay", async () => {
    const root = newFolder();
    const now = Date.UTC(2026, 0, 31, 12);
    await openLocalLake(root);
    const temporary = join(root, ".tmp");
    for (const [name, age] of [
      ["old", DAY_MS + 60_000],
      ["young", DAY_MS - 60_000],
    ] as const) {
      await writeFile(join(temporary, name), "half a fi");
      await utimes(join(temporary, name), new Date(now - age), new Date(now - age));
    }
    await openLocalLake(root, { now: () => now });
    expect(await readdir(temporary)).toEqual(["young"]);
  });

  test("temporaries that another process removes at the same time are no error", async () => {
    const root = newFolder();
    await openLocalLake(root);
    await writeFile(join(root, ".tmp", "old"), "x");
    const disk = diskWith({
      async info(path) {
        if (basename(path) === "old") await rm(path);
        return nodeDisk.info(path);
      },
    });
    await openLocalLake(root, { disk, now: () => Date.now() + 2 * DAY_MS });
    expect(await readdir(join(root, ".tmp"))).toEqual([]);
  });
});
