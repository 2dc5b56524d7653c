import { expect } from "bun:test";
import type { KafkaLog, KafkaLogOptions } from "../../../jobs/log/kafka.ts";
import { Pipeline, rowsOf } from "./pipeline.ts";
import { openKafkaLog } from "./server.ts";

/**
 * Runs `fault` while observations are appended, waits until the lake has caught up, and holds it against what was
 * acknowledged: each once, and each record of the log was counted once.
 */
export async function underLoad(
  options: KafkaLogOptions,
  fault: (
    world: Pipeline,
    log: KafkaLog,
    open: () => Promise<KafkaLog>,
    acknowledged: (more: number) => Promise<void>,
  ) => Promise<void>,
): Promise<Pipeline> {
  const logs: KafkaLog[] = [];
  const open = async () => {
    const log = await openKafkaLog(options);
    logs.push(log);
    return log;
  };
  const log = await open();
  const world = await Pipeline.open();
  const enough = new AbortController();
  const load = world.load(log, enough.signal);
  try {
    const acknowledged = async (more: number) => {
      const wanted = world.acknowledged.size + more;
      while (world.acknowledged.size < wanted) await Promise.race([Bun.sleep(50), load]);
    };
    await fault(world, log, open, acknowledged);
    enough.abort();
    await load;
    const content = await world.settled(log, 60_000);
    for (const { counts, next } of content)
      expect(counts.rows + counts.duplicates + counts.rejected).toBe(next);
    const { rows, problems } = rowsOf(content);
    expect(problems).toEqual([]);
    expect(rows.length).toBe(new Set(rows).size);
    expect(rows.toSorted()).toEqual([...world.acknowledged].sort());
  } finally {
    enough.abort();
    await load.catch(() => {}); // what failed is thrown above
    await world.close();
    await Promise.all(logs.map((opened) => opened.close()));
  }
  return world;
}
