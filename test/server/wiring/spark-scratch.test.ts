import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "../../../core/log.ts";
import { openHdfsLake } from "../../../jobs/lake/hdfs.ts";
import { lakeScratch, localScratch } from "../../../server/wiring/spark-scratch.ts";
import { FakeWebHdfs, RetryClock, ROOT } from "../../jobs/lake/fake-webhdfs.ts";

const bytes = new Uint8Array([1, 2, 3]);
const PART = "part-00000-1.c000.zstd.parquet";

let fake: FakeWebHdfs;
let folder: string;
const clock = new RetryClock();

beforeEach(async () => {
  fake = await FakeWebHdfs.start();
  folder = await mkdtemp(join(tmpdir(), "isobar-scratch-"));
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

describe("lakeScratch()", () => {
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

describe("localScratch()", () => {
  test("has no names before Spark wrote, and removes a folder with all below it", async () => {
    const root = join(folder, "scratch");
    const scratch = localScratch(folder);
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
