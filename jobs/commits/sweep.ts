import { placeOf, parseDataFileName } from "./names.ts";
import { fold, type ChainState } from "./fold.ts";
import type { Chain } from "./writer.ts";

/**
 * Deletes files that no reader can need: leftovers of dead writers and of failed compactions in the given folders, and
 * files replaced by compaction once their grace period is over. It lists the files first and folds the chain afterwards, so
 * that a file committed in between is seen as live.
 *
 * A batch file is a leftover when its writer's claim is older than the claim in force. A compacted file is a leftover
 * when every live file of its day is newer than the chain was when the compaction began: none of its inputs can be live
 * then, so its entry would be refused.
 *
 * @param folders folders of data files
 * @param graceMs grace period: how long a reader may still read a replaced file
 * @param known the state of an earlier fold, updated in place
 * @returns the state that was used, the deleted files, and which of them were replaced files
 */
export async function sweep(
  chain: Chain,
  folders: readonly string[],
  graceMs: number,
  known?: ChainState,
): Promise<{ state: ChainState; deleted: string[]; forget: Set<string> }> {
  const { lake, topic, partition } = chain;
  const found: string[] = [];
  for (const folder of folders) {
    for (const { name, folder: isFolder } of await lake.list(folder))
      if (!isFolder) found.push(`${folder}/${name}`);
  }
  const state = await fold(lake, topic, partition, known);

  const oldestLive = new Map<string, number>();
  for (const file of state.live.values()) {
    const { date } = placeOf(file.path);
    oldestLive.set(date, Math.min(oldestLive.get(date) ?? Infinity, file.sequence));
  }
  const rejected = new Set(state.rejected.map((file) => file.path));
  const leftovers = found.filter((path) => {
    const name = parseDataFileName(path.slice(path.lastIndexOf("/") + 1));
    if (name === undefined || name.topic !== topic || name.partition !== partition) return false;
    if (state.live.has(path) || state.removed.has(path) || rejected.has(path)) return false;
    if (name.format === "jsonl") return name.sequence < (state.claim?.sequence ?? 0);
    const oldest = oldestLive.get(placeOf(path).date);
    return oldest !== undefined && oldest > name.sequence;
  });

  const over = chain.now() - graceMs;
  const forget = new Set([...state.removed].filter(([, at]) => at <= over).map(([path]) => path));
  const deleted = [...leftovers, ...forget];
  if (deleted.length > 0) await lake.delete(deleted);
  return { state, deleted, forget };
}
