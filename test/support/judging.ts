import { rm } from "node:fs/promises";
import { join } from "node:path";
import { JudgedRows } from "../../jobs/readers/judged-rows.ts";
import type { Snapshot, SqlView, WritingEngine } from "../../spark/engine.ts";
import { judgingBy } from "../../spark/judging.ts";
import { analysisViews } from "../../spark/views.ts";

/** How flags are made where no place is configured. */
export const JUDGING = judgingBy(await analysisViews({ cities: [] }));

/** Files of a folder with the rows of a snapshot and their flags. */
export async function judgedFiles(
  engine: WritingEngine,
  folder: string,
  snapshot: Snapshot,
  views: readonly SqlView[],
): Promise<Snapshot> {
  return (await judgedRows(engine, folder, views).of(snapshot, null)).snapshot;
}

/** What gives rows their flags, and puts the files with them into a folder. */
export function judgedRows(engine: WritingEngine, folder: string, views: readonly SqlView[]): JudgedRows {
  const place = {
    async put(name: string, bytes: Uint8Array) {
      const path = join(folder, name);
      await Bun.write(path, bytes);
      return path;
    },
    remove: (location: string) => rm(location),
  };
  return new JudgedRows({ engine, judging: judgingBy(views), place });
}
