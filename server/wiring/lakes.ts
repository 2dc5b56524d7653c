import { readdir, readFile, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Clock } from "../../core/clock.ts";
import { codeOf, LakeError, messageOf } from "../../core/errors.ts";
import type { Logger } from "../../core/log.ts";
import { succeedOnce } from "../../core/retry.ts";
import { claimDataset, readDataset, type DatasetKind } from "../../jobs/dataset.ts";
import { type HdfsLake, hdfsLake } from "../../jobs/lake/hdfs.ts";
import type { Lake } from "../../jobs/lake/lake.ts";
import { LateLake } from "../../jobs/lake/late-lake.ts";
import { openLocalLake } from "../../jobs/lake/local.ts";
import type { SparkScratch } from "../../spark/connect/scratch.ts";
import type { Config } from "../config/config.ts";

/** Port on which a NameNode usually answers engines. */
const HDFS_PORT = 8020;
/** Folder below a data set's root where Spark writes before the lake takes it over. */
const SCRATCH = "scratch";

/** Longest time for what somebody waits for, ms; a file's transfer comes on top. A writer is more patient. */
const PROMPT_MS = 8_000;

/** A data set's lake, and what depends on where it lies. */
export interface OpenedLake {
  lake: Lake;
  /** The same, for readers that somebody waits for: it gives up sooner where the lake is away. */
  promptLake: Lake;
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
    const lake = await openLocalLake(folder);
    return { lake, promptLake: lake, folder, scratch: localScratch(join(folder, SCRATCH)) };
  }
  const lake = await lakeInHdfs(config, dataset, deps);
  await lake.prepare();
  const promptLake = await lakeInHdfs(config, dataset, { ...deps, deadlineMs: PROMPT_MS });
  return { lake, promptLake, folder: null, scratch: lakeScratch(lake) };
}

/**
 * Opens the lake of a data set for data of one kind. An HDFS that is away or full is no error: everything asked of the
 * lake is refused until it is there and has said that the data set is of that kind.
 *
 * @returns the lake, and what resolves once it is known to be of that kind; it may be asked again after a rejection
 * @throws LakeError, and ConfigError when the data set holds data of another kind
 */
export async function claimLake(
  config: Config,
  dataset: string,
  kind: DatasetKind,
  deps: { clock: Clock; logger: Logger },
): Promise<OpenedLake & { claimed: () => Promise<void> }> {
  const { clock, logger } = deps;
  const claim = (lake: Lake) => claimDataset(lake, dataset, kind, clock.now());
  if (config.webhdfsUrls === null) {
    const opened = await openLake(config, dataset, deps);
    await claim(opened.lake);
    return { ...opened, claimed: async () => {} };
  }
  const patient = await lakeInHdfs(config, dataset, deps);
  const prompt = await lakeInHdfs(config, dataset, { ...deps, deadlineMs: PROMPT_MS });
  const claimed = succeedOnce(async () => {
    await prompt.prepare();
    await claim(prompt);
  });
  try {
    await claimed();
  } catch (error) {
    if (!isAway(error)) throw error;
    logger.warn("The lake is away: what needs it waits", { reason: messageOf(error) });
  }
  const lake = new LateLake(patient, claimed);
  return {
    lake,
    promptLake: new LateLake(prompt, claimed),
    folder: null,
    scratch: lakeScratch(lake),
    claimed,
  };
}

/** Whether a lake cannot be used now, and may be by and by. */
export function isAway(error: unknown): boolean {
  return error instanceof LakeError && (error.code === "unavailable" || error.code === "full");
}

/** What a data set holds; null when there is none of that name. None is made by asking. */
export async function datasetKind(
  config: Config,
  dataset: string,
  deps: { clock: Clock; logger: Logger },
): Promise<DatasetKind | null> {
  let lake: Lake;
  if (config.webhdfsUrls === null) {
    const folder = lakeFolder(config.dataDir, dataset);
    if (!(await Bun.file(join(folder, "dataset.json")).exists())) return null;
    lake = await openLocalLake(folder);
  } else lake = await lakeInHdfs(config, dataset, deps);
  return (await readDataset(lake))?.kind ?? null;
}

function lakeInHdfs(
  config: Config,
  dataset: string,
  deps: { clock: Clock; logger: Logger; deadlineMs?: number },
): Promise<HdfsLake> {
  const urls = config.webhdfsUrls ?? [];
  return hdfsLake({
    urls,
    root: `${config.hdfsRoot}/${dataset}`,
    hdfsUri: config.hdfsUri ?? `hdfs://${new URL(urls[0]!).hostname}:${HDFS_PORT}`,
    user: config.hdfsUser,
    ...(config.hdfsToken === null ? {} : { token: config.hdfsToken }),
    ...deps,
  });
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
export function lakeScratch(lake: Lake): SparkScratch {
  const entries = (name: string) => lake.list(`${SCRATCH}/${name}`);
  return {
    location: (name) => lake.locate(`${SCRATCH}/${name}`),
    readOnlyFile: async (name) => {
      const files = (await entries(name)).map((entry) => entry.name);
      return lake.read(`${SCRATCH}/${name}/${onlyPart(name, files)}`);
    },
    remove: (name) => removeFolder(lake, `${SCRATCH}/${name}`),
    names: async () => (await lake.list(SCRATCH)).map((entry) => entry.name),
  };
}

/** Deletes a folder of the lake with all below it: Spark leaves folders of tasks in it when it is cut off. */
async function removeFolder(lake: Lake, path: string): Promise<void> {
  const entries = await lake.list(path);
  for (const { name, folder } of entries) if (folder) await removeFolder(lake, `${path}/${name}`);
  const files = entries.filter(({ folder }) => !folder).map(({ name }) => `${path}/${name}`);
  // A folder goes with its last file, and an empty one by its own name.
  await lake.delete(files.length > 0 ? files : [path]);
}

/** Spark's folder on this machine's disk: it also holds checksum files, whose names no lake path can have. */
export function localScratch(root: string): SparkScratch {
  return {
    location: (name) => pathToFileURL(join(root, name)).href,
    readOnlyFile: async (name) => readFile(join(root, name, onlyPart(name, await readdir(join(root, name))))),
    remove: (name) => rm(join(root, name), { recursive: true, force: true }),
    names: async () => {
      try {
        return await readdir(root);
      } catch (error) {
        if (codeOf(error) === "ENOENT") return []; // Spark has written nothing yet
        throw error;
      }
    },
  };
}
