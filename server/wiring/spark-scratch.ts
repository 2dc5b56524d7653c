import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { codeOf, LakeError } from "../../core/errors.ts";
import type { Lake } from "../../jobs/lake/lake.ts";
import type { SparkScratch } from "../../spark/connect/scratch.ts";

/** Folder below a data set's root where Spark writes before the lake takes it over. */
const SCRATCH = "scratch";

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

/**
 * Spark's folder inside a lake on this machine. It is read as files: Spark puts checksum files there too, whose names no
 * lake path can have.
 *
 * @param lakeFolder the lake's own folder
 */
export function localScratch(lakeFolder: string): SparkScratch {
  const root = join(lakeFolder, SCRATCH);
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

/** Deletes a folder of the lake with all below it: Spark leaves folders of tasks in it when it is cut off. */
async function removeFolder(lake: Lake, path: string): Promise<void> {
  const entries = await lake.list(path);
  for (const { name, folder } of entries) if (folder) await removeFolder(lake, `${path}/${name}`);
  const files = entries.filter(({ folder }) => !folder).map(({ name }) => `${path}/${name}`);
  // A folder goes with its last file, and an empty one by its own name.
  await lake.delete(files.length > 0 ? files : [path]);
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
