import { join } from "node:path";
import { systemClock } from "../../core/clock.ts";
import { claimDataset } from "../../jobs/dataset.ts";
import { openLocalLake } from "../../jobs/lake/local.ts";
import type { NewRecord } from "../../jobs/log/log.ts";
import { syntheticCities } from "../../jobs/sources/simulator.ts";
import { lakeFolder } from "../../server/wiring/lakes.ts";
import type { PipelineStatus } from "../../core/pipeline-status.ts";
import { type Server, startServer } from "./child.ts";
import { until } from "./measure.ts";

const DATASET = "bench";

/** Starts the whole program over a data set of its own in `folder`. It polls nothing: records are posted to it. */
export async function startProgram(
  folder: string,
  options: { cities: number; env?: Readonly<Record<string, string>> },
): Promise<Server> {
  const cities = join(folder, "cities.json");
  await Bun.write(cities, JSON.stringify(syntheticCities(options.cities)));
  const lake = await openLocalLake(lakeFolder(folder, DATASET));
  await claimDataset(lake, DATASET, "simulated", systemClock.now());
  return startServer("program-child.ts", {
    DATA_DIR: folder,
    DATASET,
    WEATHER_SOURCE: "none",
    CITIES_FILE: cities,
    ...options.env,
  });
}

/** Appends records through the API. */
export async function post(server: Server, records: readonly NewRecord[]): Promise<void> {
  const answer = await fetch(`${server.url}/api/v1/observations?history=true`, {
    method: "POST",
    headers: { "content-type": "application/x-ndjson" },
    body: records.map(({ value }) => value).join("\n"),
  });
  if (!answer.ok) throw new Error(`Cannot append: ${answer.status} ${await answer.text()}`);
  await answer.bytes();
}

/** Waits until everything posted is committed and shown, and `also` holds of the one partition. */
export function settled(
  server: Server,
  records: number,
  also: (partition: PipelineStatus["partitions"][number]) => boolean = () => true,
): Promise<PipelineStatus["partitions"][number]> {
  return until(`the commit of ${records} records`, 180, async () => {
    const status = (await (await fetch(`${server.url}/api/v1/pipeline`)).json()) as PipelineStatus;
    const partition = status.partitions[0];
    return partition !== undefined && partition.next >= records && also(partition) ? partition : null;
  });
}

/** Runs every analytic job and waits for its result. */
export async function runJobs(server: Server): Promise<void> {
  const base = `${server.url}/api/v1`;
  const { jobs } = (await (await fetch(`${base}/jobs`)).json()) as { jobs: { name: string }[] };
  for (const { name } of jobs) {
    const started = await fetch(`${base}/jobs/${name}/runs`, {
      method: "POST",
      headers: { "content-type": "application/json" },
    });
    const { run } = (await started.json()) as { run: { id: string } };
    await until(`the run of ${name}`, 120, async () => {
      const answer = (await (await fetch(`${base}/runs/${run.id}`)).json()) as { run: { state: string } };
      if (answer.run.state === "failed") throw new Error(`Cannot measure: ${JSON.stringify(answer)}`);
      return answer.run.state === "succeeded";
    });
  }
}
