import { readdir, readFile, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Clock } from "../core/clock.ts";
import { LakeError } from "../core/errors.ts";
import type { Logger } from "../core/log.ts";
import { readDataset, type DatasetKind } from "../jobs/dataset.ts";
import { openHdfsLake } from "../jobs/lake/hdfs.ts";
import type { Lake } from "../jobs/lake/lake.ts";
import { openLocalLake } from "../jobs/lake/local.ts";
import type { SparkScratch } from "../spark/connect/engine.ts";
import type { Config } from "./config.ts";

/** Port on which a NameNode usually answers engines. */
const HDFS_PORT = 8020;
/** Folder below a data set's root where Spark writes before the lake takes it over. */
const SCRATCH = "scratch";

/** A data set's lake, and what depends on where it lies. */
export interface OpenedLake {
  lake: Lake;
  /** Its folder on this machine; null where it lies elsewhere. */
  folder: string | null;
  /** Where Spark writes. */
  scratch: SparkScratch;
}

/** Where a data set's lake lies on this machine. */
export function lakeFolder(dataDir: string, dataset: string): string {
  return join(resolve(dataDir), "lake", dataset);
}

/**
 * Opens the lake of a data set: HDFS where `WEBHDFS_URL` is set, else a local folder.
 *
 * @throws LakeError
 */
export async function openLake(
  config: Config,
  dataset: string,
  deps: { clock: Clock; logger: Logger },
): Promise<OpenedLake> {
  if (config.webhdfsUrls === null) {
    const folder = lakeFolder(config.dataDir, dataset);
    return { lake: await openLocalLake(folder), folder, scratch: localScratch(join(folder, SCRATCH)) };
  }
  const lake = await openHdfsLake({
    urls: config.webhdfsUrls,
    root: `${config.hdfsRoot}/${dataset}`,
    hdfsUri: config.hdfsUri ?? `hdfs://${new URL(config.webhdfsUrls[0]!).hostname}:${HDFS_PORT}`,
    user: config.hdfsUser,
    ...(config.hdfsToken === null ? {} : { token: config.hdfsToken }),
    ...deps,
  });
  return { lake, folder: null, scratch: lakeScratch(lake) };
}

/** What a data set holds; null when there is none of that name. A local one is not made by asking. */
export async function datasetKind(
  config: Config,
  dataset: string,
  deps: { clock: Clock; logger: Logger },
): Promise<DatasetKind | null> {
  if (config.webhdfsUrls === null) {
    const note = join(lakeFolder(config.dataDir, dataset), "dataset.json");
    if (!(await Bun.file(note).exists())) return null;
  }
  const { lake } = await openLake(config, dataset, deps);
  return (await readDataset(lake))?.kind ?? null;
}

/** The one part file among what Spark left in a folder. */
function onlyPart(folder: string, names: readonly string[]): string {
  const parts = names.filter((name) => /^part-.*\.parquet$/.test(name));
  if (parts.length !== 1) {
    throw new LakeError(
      "missing",
      `Cannot take over ${folder}: it holds ${parts.length} part files, wanted 1`,
    );
  }
  return parts[0]!;
}

/** Spark's folder inside a lake that both reach by its own address. */
function lakeScratch(lake: Lake): SparkScratch {
  const names = async (name: string) => (await lake.list(`${SCRATCH}/${name}`)).map((entry) => entry.name);
  return {
    location: (name) => lake.locate(`${SCRATCH}/${name}`),
    readOnlyFile: async (name) => lake.read(`${SCRATCH}/${name}/${onlyPart(name, await names(name))}`),
    remove: async (name) => lake.delete((await names(name)).map((file) => `${SCRATCH}/${name}/${file}`)),
  };
}

/** Spark's folder on this machine's disk: it also holds checksum files, whose names no lake path can have. */
function localScratch(root: string): SparkScratch {
  return {
    location: (name) => pathToFileURL(join(root, name)).href,
    readOnlyFile: async (name) => readFile(join(root, name, onlyPart(name, await readdir(join(root, name))))),
    remove: (name) => rm(join(root, name), { recursive: true, force: true }),
  };
}
