import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../core/clock.ts";
import { newId } from "../../core/random.ts";
import { DAY_MS } from "../../core/time.ts";
import type { Lake } from "../../jobs/lake/lake.ts";
import type { JudgedPlace } from "../../jobs/readers/judged-rows.ts";

/** Folder below a data set's root for files that Spark is to read and that no commit names. */
const SCRATCH = "scratch";
/** A file's folder says when its process began. */
const OWN = /^judged-(\d+)-[a-z0-9]+$/;

/** A folder of this process alone, for the engine in it. */
export function folderPlace(tempFolder: string): JudgedPlace {
  const folder = join(tempFolder, "judged");
  return {
    async put(name, bytes) {
      await mkdir(folder, { recursive: true });
      const path = join(folder, name);
      await Bun.write(path, bytes);
      return path;
    },
    remove: (location) => rm(location, { force: true }),
  };
}

/** A folder in the lake, where Spark finds the files too. Those that a killed process left a day ago or more are deleted. */
export function lakePlace(lake: Lake, clock: Clock): JudgedPlace {
  const own = `${SCRATCH}/judged-${clock.now()}-${newId()}`;
  const root = lake.locate(`${SCRATCH}/x`).slice(0, -1 - SCRATCH.length - 1);
  let cleared = false;
  const clear = async () => {
    cleared = true;
    for (const { name } of await lake.list(SCRATCH)) {
      const begun = OWN.exec(name)?.[1];
      if (begun === undefined || clock.now() - Number(begun) <= DAY_MS) continue;
      const files = (await lake.list(`${SCRATCH}/${name}`)).map((file) => `${SCRATCH}/${name}/${file.name}`);
      await lake.delete(files.length > 0 ? files : [`${SCRATCH}/${name}`]);
    }
  };
  return {
    async put(name, bytes) {
      if (!cleared) await clear();
      const path = `${own}/${name}`;
      await lake.put([{ path, bytes }]);
      return lake.locate(path);
    },
    remove: (location) => lake.delete([location.slice(root.length)]),
  };
}
