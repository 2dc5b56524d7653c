import { textTable } from "../../server/commands/command.ts";
import { DAY_MS } from "../../core/time.ts";
import { simulatedRecords, syntheticCities } from "../../jobs/sources/simulator.ts";
import { type BenchOptions, shown, withFolder } from "./measure.ts";
import { post, runJobs, settled, startProgram } from "./program.ts";

const CITIES = 1_000;
/** A poll every ten minutes. */
const STEP_MS = 600_000;
const PER_DAY = CITIES * (DAY_MS / STEP_MS);
/** Quiet time before the memory is read, ms: the engine gives back in the background what a long query took. */
const IDLE_MS = 3_000;

/**
 * Memory of the whole program after each of several days of a network of 1,000 cities, with the analytic jobs run, and the
 * garbage collected after some idle seconds. The results hold a week, so it may rise for seven days, and must be level after that.
 */
export async function benchMemory({ quick, print }: BenchOptions): Promise<void> {
  const days = quick ? 2 : 12;
  const begin = Math.floor(Date.now() / DAY_MS - days) * DAY_MS;
  const rows: (string | number)[][] = [];
  await withFolder(async (folder) => {
    const server = await startProgram(folder, {
      cities: CITIES,
      // On demand: after each day, not in between.
      env: { ANALYTICS_CRON: "0 0 1 1 *" },
    });
    try {
      const note = async (day: string, files: number, bytes: number) => {
        const { rss, heap } = await server.memory();
        rows.push([day, shown(files), shown(bytes / 1e6), shown(rss / 1e6), shown(heap / 1e6)]);
      };
      await note("start", 0, 0);
      for (let day = 0; day < days; day++) {
        const from = begin + day * DAY_MS;
        const load = { from, to: from + DAY_MS, stepMs: STEP_MS, seed: 1, cities: syntheticCities(CITIES) };
        for (const chunk of simulatedRecords(load)) await post(server, chunk);
        const { files, bytes } = await settled(server, (day + 1) * PER_DAY);
        await runJobs(server);
        await Bun.sleep(IDLE_MS);
        await note(String(day + 1), files, bytes);
      }
    } finally {
      await server.stop();
    }
  });
  print(
    `Memory of the program: ${shown(CITIES)} cities polled every 10 minutes, ${shown(PER_DAY)} observations a day, as fast as they go\n`,
  );
  print(textTable(["day", "files in the lake", "lake MB", "RSS MB", "heap MB"], rows));
  print("");
}
