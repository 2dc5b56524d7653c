import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { codeOf } from "../../../core/errors.ts";
import { createLogger, silentLogger } from "../../../core/log.ts";
import { claimDataset, readDataset } from "../../../jobs/dataset.ts";
import { openHdfsLake } from "../../../jobs/lake/hdfs.ts";
import { type Config, loadConfig } from "../../../server/config/config.ts";
import { claimLake, datasetKind, lakeScratch, localScratch, openLake } from "../../../server/wiring/lakes.ts";
import { FakeWebHdfs, RetryClock, ROOT } from "../../jobs/lake/fake-webhdfs.ts";

const bytes = new Uint8Array([1, 2, 3]);
const PART = "part-00000-1.c000.zstd.parquet";

let fake: FakeWebHdfs;
let folder: string;
let config: Config;
let lines: string[];
const clock = new RetryClock();
const deps = () => ({
  clock,
  logger: createLogger({ level: "info", format: "json", write: (line) => lines.push(line) }),
});

beforeEach(async () => {
  fake = await FakeWebHdfs.start();
  folder = await mkdtemp(join(tmpdir(), "isobar-lakes-"));
  lines = [];
  const env = { WEBHDFS_URL: fake.urls.join(","), HDFS_URI: "hdfs://fake:8020", DATA_DIR: folder };
  ({ config } = loadConfig(env, { isTerminal: false }));
});
afterEach(async () => {
  await fake.stop();
  await rm(folder, { recursive: true, force: true });
});

const lakeOf = () =>
  openHdfsLake({
    urls: fake.urls,
    root: ROOT,
    hdfsUri: "hdfs://fake:8020",
    user: "isobar",
    clock,
    logger: silentLogger,
  });
const fill = (path: string) => fake.files.set(`${ROOT}/${path}`, { bytes, modified: 0 });
const below = (path: string) =>
  [...fake.files.keys(), ...fake.folders].filter((one) => one.startsWith(`${ROOT}/${path}`)).sort();

describe("the scratch folder in HDFS", () => {
  test("reads Spark's one part file, and removes the folder with what a task that was cut off left in it", async () => {
    const lake = await lakeOf();
    const scratch = lakeScratch(lake);
    expect(await scratch.names()).toEqual([]);
    const task = "scratch/one/_temporary/0/_temporary/attempt_2026_m_000000_0";
    for (const path of ["scratch/one", "scratch/empty", "scratch/other", task])
      fake.folders.add(`${ROOT}/${path}`);
    for (const parent of ["scratch", "scratch/one/_temporary", "scratch/one/_temporary/0"])
      fake.folders.add(`${ROOT}/${parent}`);
    fake.folders.add(`${ROOT}/scratch/one/_temporary/0/_temporary`);
    for (const path of [
      `scratch/one/${PART}`,
      "scratch/one/_SUCCESS",
      `${task}/${PART}`,
      `scratch/other/${PART}`,
    ])
      fill(path);
    expect(scratch.location("one")).toBe(`hdfs://fake:8020${ROOT}/scratch/one`);
    expect(await scratch.names()).toEqual(["empty", "one", "other"]);
    expect(await scratch.readOnlyFile("one")).toEqual(bytes);
    await scratch.remove("one");
    await scratch.remove("empty");
    await scratch.remove("never-there");
    expect(below("scratch")).toEqual([
      `${ROOT}/scratch`,
      `${ROOT}/scratch/other`,
      `${ROOT}/scratch/other/${PART}`,
    ]);
  });
});

describe("the scratch folder on this machine", () => {
  test("has no names before Spark wrote, and removes a folder with all below it", async () => {
    const root = join(folder, "scratch");
    const scratch = localScratch(root);
    expect(await scratch.names()).toEqual([]);
    await mkdir(join(root, "one", "_temporary", "0"), { recursive: true });
    await Bun.write(join(root, "one", `.${PART}.crc`), "x");
    await Bun.write(join(root, "one", PART), bytes);
    expect(await scratch.names()).toEqual(["one"]);
    expect(new Uint8Array(await scratch.readOnlyFile("one"))).toEqual(bytes);
    await scratch.remove("one");
    expect(await readdir(root)).toEqual([]);
  });
});

describe("datasetKind()", () => {
  test("makes nothing in HDFS by asking", async () => {
    expect(await datasetKind(config, "observed", deps())).toBeNull();
    expect([...fake.folders, ...fake.files.keys()]).toEqual(["/"]);
    const { lake } = await openLake(config, "observed", deps());
    await claimDataset(lake, "observed", "replayed", clock.now());
    expect(await datasetKind(config, "observed", deps())).toBe("replayed");
  });
});

describe("claimLake()", () => {
  test("tries once whether HDFS can be written to, and notes the kind", async () => {
    const { lake, promptLake, claimed } = await claimLake(config, "mine", "simulated", deps());
    await claimed();
    expect((await readDataset(lake))?.kind).toBe("simulated");
    expect((await readDataset(promptLake))?.kind).toBe("simulated");
    expect(fake.count({ op: "MKDIR", node: "namenode-1" })).toBe(1);
    expect(lines).toEqual([]);
  });

  test("refuses a data set of another kind", async () => {
    await claimLake(config, "mine", "simulated", deps());
    expect(await claimLake(config, "mine", "observed", deps()).catch(codeOf)).toBe("bad_setting");
  });

  test("takes an HDFS that is away: it is asked nothing else before it has said what the data set is", async () => {
    for (const kind of ["simulated", "observed"] as const) {
      if (kind === "observed") await claimLake(config, "mine", "simulated", deps());
      fake.fail({}, { status: 503 }, Infinity);
      lines = [];
      const { lake, promptLake, claimed } = await claimLake(config, "mine", kind, deps());
      expect(lines).toHaveLength(1);
      expect(lines[0]).toContain("The lake is away");
      expect(await claimed().catch(codeOf)).toBe("unavailable");
      expect(await lake.list("commits").catch(codeOf)).toBe("unavailable");
      expect(await promptLake.read("dataset.json").catch(codeOf)).toBe("unavailable");
      fake.heal();
      if (kind === "simulated") {
        await lake.put([{ path: "a/b", bytes }]);
        expect(await promptLake.read("a/b")).toEqual(bytes);
        await claimed();
      } else {
        expect(await lake.put([{ path: "a/c", bytes }]).catch(codeOf)).toBe("bad_setting");
        expect(await promptLake.read("a/b").catch(codeOf)).toBe("bad_setting");
        expect(await claimed().catch(codeOf)).toBe("bad_setting");
      }
    }
  });

  test("says at once what waiting does not mend", async () => {
    fake.fail({ op: "MKDIR" }, { status: 403, exception: "AccessControlException" });
    expect(await claimLake(config, "mine", "simulated", deps()).catch(codeOf)).toBe("unwritable");
  });
});
