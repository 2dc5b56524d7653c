import { join, resolve } from "node:path";
import type { Clock } from "../../core/clock.ts";
import { LakeError, messageOf } from "../../core/errors.ts";
import type { Logger } from "../../core/log.ts";
import { succeedOnce } from "../../core/retry.ts";
import { claimDataset, readDataset } from "../../jobs/dataset.ts";
import { type DatasetKind } from "../../core/dataset-kind.ts";
import { type HdfsLake, hdfsLake } from "../../jobs/lake/hdfs.ts";
import type { Lake } from "../../jobs/lake/lake.ts";
import { LateLake } from "../../jobs/lake/late-lake.ts";
import { openLocalLake } from "../../jobs/lake/local.ts";
import type { Config } from "../config/config.ts";

/** Port on which a NameNode usually answers engines. */
const HDFS_PORT = 8020;

/** Longest time for what somebody waits for, ms; a file's transfer comes on top. A writer is more patient. */
const PROMPT_MS = 8_000;

/** The lake of one data set. It is known where it lies; nothing is opened, made or asked yet. */
export interface DatasetLake {
  /** Its folder on this machine; null where it lies in HDFS. */
  readonly folder: string | null;
  /**
   * What the data set holds; null when there is none of that name. None is made by asking.
   *
   * @throws LakeError
   */
  kind(): Promise<DatasetKind | null>;
  /**
   * Opens it, and makes its folder if needed.
   *
   * @throws LakeError, also where HDFS is away
   */
  open(): Promise<OpenedLake>;
  /**
   * Opens it for data of one kind. An HDFS that is away or full is no error: everything asked of the lake is refused
   * until HDFS is there and has said that the data set is of that kind.
   *
   * @throws LakeError, and ConfigError when the data set holds data of another kind
   */
  claim(kind: DatasetKind): Promise<ClaimedLake>;
}

/** A data set's lake, opened, and what depends on where it lies. */
export interface OpenedLake {
  lake: Lake;
  /** The same, for readers that somebody waits for: it gives up sooner where the lake is away. */
  promptLake: Lake;
  /** See {@link DatasetLake.folder}. */
  folder: string | null;
}

/** A lake opened for data of one kind. */
export interface ClaimedLake extends OpenedLake {
  /** Resolves once the data set is known to be of that kind. It may be asked again after a rejection. */
  claimed: () => Promise<void>;
}

/** The lake of a data set: in HDFS where `WEBHDFS_URL` is set, else a local folder. This is decided here alone. */
export function datasetLake(
  config: Config,
  dataset: string,
  deps: { clock: Clock; logger: Logger },
): DatasetLake {
  return config.webhdfsUrls === null
    ? localDatasetLake(lakeFolder(config.dataDir, dataset), dataset, deps.clock)
    : hdfsDatasetLake(config, config.webhdfsUrls, dataset, deps);
}

/** Where a data set's lake lies on this machine. */
export function lakeFolder(dataDir: string, dataset: string): string {
  return join(resolve(dataDir), "lake", dataset);
}

/** Whether a lake cannot be used now, and may be by and by. */
export function isLakeAway(error: unknown): boolean {
  return error instanceof LakeError && (error.code === "unavailable" || error.code === "full");
}

function localDatasetLake(folder: string, dataset: string, clock: Clock): DatasetLake {
  const open = async (): Promise<OpenedLake> => {
    const lake = await openLocalLake(folder);
    return { lake, promptLake: lake, folder };
  };
  return {
    folder,
    async kind() {
      if (!(await Bun.file(join(folder, "dataset.json")).exists())) return null; // to open it would make the folder
      return (await readDataset(await openLocalLake(folder)))?.kind ?? null;
    },
    open,
    async claim(kind) {
      const opened = await open();
      await claimDataset(opened.lake, dataset, kind, clock.now());
      return { ...opened, claimed: async () => {} };
    },
  };
}

function hdfsDatasetLake(
  config: Config,
  urls: readonly string[],
  dataset: string,
  deps: { clock: Clock; logger: Logger },
): DatasetLake {
  const { clock, logger } = deps;
  const connect = (deadline: { deadlineMs?: number } = {}): Promise<HdfsLake> =>
    hdfsLake({
      urls,
      root: `${config.hdfsRoot}/${dataset}`,
      hdfsUri: config.hdfsUri ?? `hdfs://${new URL(urls[0]!).hostname}:${HDFS_PORT}`,
      user: config.hdfsUser,
      ...(config.hdfsToken === null ? {} : { token: config.hdfsToken }),
      ...deps,
      ...deadline,
    });
  return {
    folder: null,
    async kind() {
      return (await readDataset(await connect()))?.kind ?? null;
    },
    async open() {
      const lake = await connect();
      await lake.prepare();
      const promptLake = await connect({ deadlineMs: PROMPT_MS });
      return { lake, promptLake, folder: null };
    },
    async claim(kind) {
      const patient = await connect();
      const prompt = await connect({ deadlineMs: PROMPT_MS });
      const claimed = succeedOnce(async () => {
        await prompt.prepare();
        await claimDataset(prompt, dataset, kind, clock.now());
      });
      try {
        await claimed();
      } catch (error) {
        if (!isLakeAway(error)) throw error;
        logger.warn("The lake is away: what needs it waits", { reason: messageOf(error) });
      }
      const lake = new LateLake(patient, claimed);
      const promptLake = new LateLake(prompt, claimed);
      return { lake, promptLake, folder: null, claimed };
    },
  };
}
