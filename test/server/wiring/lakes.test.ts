import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { codeOf } from "../../../core/errors.ts";
import { createLogger } from "../../../core/log.ts";
import { claimDataset, readDataset } from "../../../jobs/dataset.ts";
import { type Config, loadConfig } from "../../../server/config/config.ts";
import { datasetLake, isLakeAway } from "../../../server/wiring/lakes.ts";
import { FakeWebHdfs, RetryClock } from "../../jobs/lake/fake-webhdfs.ts";

const bytes = new Uint8Array([1, 2, 3]);

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

/** The lake of a data set in HDFS. */
const inHdfs = (dataset: string) => datasetLake(config, dataset, deps());
/** The lake of a data set in a folder of this machine. */
const onDisk = (dataset: string) => datasetLake({ ...config, webhdfsUrls: null }, dataset, deps());

describe("DatasetLake.kind()", () => {
  test("makes nothing in HDFS by asking", async () => {
    expect(await inHdfs("observed").kind()).toBeNull();
    expect([...fake.folders, ...fake.files.keys()]).toEqual(["/"]);
    const { lake } = await inHdfs("observed").open();
    await claimDataset(lake, "observed", "replayed", clock.now());
    expect(await inHdfs("observed").kind()).toBe("replayed");
  });

  test("makes nothing on this machine by asking", async () => {
    const place = onDisk("observed");
    expect(await place.kind()).toBeNull();
    expect(await readdir(folder)).toEqual([]);
    const { lake } = await place.open();
    expect(await place.kind()).toBeNull(); // a folder says nothing yet
    await claimDataset(lake, "observed", "replayed", clock.now());
    expect(await place.kind()).toBe("replayed");
  });
});

describe("DatasetLake.open()", () => {
  test("gives a folder on this machine, and none for HDFS", async () => {
    const local = await onDisk("mine").open();
    expect(onDisk("mine").folder).toBe(join(folder, "lake", "mine"));
    expect(local).toMatchObject({ folder: join(folder, "lake", "mine"), lake: { kind: "local folder" } });
    expect(local.promptLake).toBe(local.lake);
    expect(inHdfs("mine").folder).toBeNull();
    expect(await inHdfs("mine").open()).toMatchObject({ folder: null, lake: { kind: "hdfs" } });
  });

  test("does not take an HDFS that is away", async () => {
    fake.fail({}, { status: 503 }, Infinity);
    const failure: unknown = await inHdfs("mine")
      .open()
      .catch((error: unknown) => error);
    expect(codeOf(failure)).toBe("unavailable");
    expect(isLakeAway(failure)).toBe(true);
  });
});

describe("DatasetLake.claim()", () => {
  test("tries once whether HDFS can be written to, and notes the kind", async () => {
    const { lake, promptLake, claimed } = await inHdfs("mine").claim("simulated");
    await claimed();
    expect((await readDataset(lake))?.kind).toBe("simulated");
    expect((await readDataset(promptLake))?.kind).toBe("simulated");
    expect(fake.count({ op: "MKDIR", node: "namenode-1" })).toBe(1);
    expect(lines).toEqual([]);
  });

  test.each(["in HDFS", "on this machine"])("refuses a data set of another kind %s", async (where) => {
    const place = where === "in HDFS" ? inHdfs("mine") : onDisk("mine");
    const { lake, claimed } = await place.claim("simulated");
    await claimed();
    expect((await readDataset(lake))?.kind).toBe("simulated");
    expect(await place.claim("observed").catch(codeOf)).toBe("bad_setting");
  });

  test("takes an HDFS that is away: it is asked nothing else before it has said what the data set is", async () => {
    for (const kind of ["simulated", "observed"] as const) {
      if (kind === "observed") await inHdfs("mine").claim("simulated");
      fake.fail({}, { status: 503 }, Infinity);
      lines = [];
      const { lake, promptLake, claimed } = await inHdfs("mine").claim(kind);
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
    const failure: unknown = await inHdfs("mine")
      .claim("simulated")
      .catch((error: unknown) => error);
    expect(codeOf(failure)).toBe("unwritable");
    expect(isLakeAway(failure)).toBe(false);
  });
});
