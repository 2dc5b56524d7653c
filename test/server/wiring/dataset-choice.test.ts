import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "../../../core/log.ts";
import { type Config, loadConfig } from "../../../server/config/config.ts";
import { chooseDataset, findDataset } from "../../../server/wiring/dataset-choice.ts";
import { datasetLake } from "../../../server/wiring/lakes.ts";
import { FakeWebHdfs, RetryClock } from "../../jobs/lake/fake-webhdfs.ts";
import { rejection } from "../../jobs/sources/provider.ts";

const deps = { clock: new RetryClock(), logger: silentLogger };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "isobar-dataset-choice-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const configOf = (env: object = {}): Config =>
  loadConfig({ DATA_DIR: folder, ...env }, { isTerminal: false }).config;

describe("findDataset()", () => {
  test("finds observed data before simulated data, or the one that is named, and makes none", async () => {
    const config = configOf();
    expect(await findDataset(config, null, deps)).toBeNull();
    expect(await readdir(folder)).toEqual([]);
    await datasetLake(config, "tape", deps).claim("replayed");
    expect(await findDataset(config, null, deps)).toBeNull();
    expect(await findDataset(config, "tape", deps)).toMatchObject({ dataset: "tape", kind: "replayed" });
    await datasetLake(config, "simulated", deps).claim("simulated");
    expect(await findDataset(config, null, deps)).toMatchObject({ dataset: "simulated", kind: "simulated" });
    await datasetLake(config, "observed", deps).claim("observed");
    expect(await findDataset(config, null, deps)).toMatchObject({ dataset: "observed", kind: "observed" });
  });
});

describe("chooseDataset()", () => {
  const signal = new AbortController().signal;

  test("claims the data set of the source", async () => {
    const choice = await chooseDataset(configOf({ WEATHER_SOURCE: "simulator" }), { ...deps, signal });
    expect(choice).toMatchObject({ dataset: "simulated", kind: "simulated", source: { name: "simulator" } });
    await choice.lake.claimed();
    expect(await datasetLake(configOf(), "simulated", deps).kind()).toBe("simulated");
  });

  test("without a source opens what is there, and refuses where there is nothing", async () => {
    const config = configOf({ ROLES: "web" });
    const none = await rejection(chooseDataset(config, { ...deps, signal }));
    expect(none.code).toBe("bad_setting");
    expect(none.message).toContain('there is no data set "observed"');
    await datasetLake(config, "simulated", deps).claim("simulated");
    const choice = await chooseDataset(config, { ...deps, signal });
    expect(choice).toMatchObject({ dataset: "simulated", kind: "simulated", source: null });
    await choice.lake.claimed();
  });

  test("simulates no weather where HDFS is away and may hold observed data", async () => {
    const fake = await FakeWebHdfs.start();
    try {
      fake.fail({}, { status: 503 }, Infinity);
      const env = {
        WEBHDFS_URL: fake.urls.join(","),
        HDFS_URI: "hdfs://fake:8020",
        OPEN_METEO_URL: "http://127.0.0.1:1",
      };
      const choice = await chooseDataset(configOf(env), { ...deps, signal });
      expect(choice).toMatchObject({ dataset: "observed", source: { name: "open-meteo" } });
    } finally {
      await fake.stop();
    }
  });
});
