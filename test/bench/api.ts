import { textTable } from "../../server/commands/command.ts";
import { DAY_MS, formatTimestamp } from "../../core/time.ts";
import type { NewRecord } from "../../jobs/log/log.ts";
import { simulatedRecords, syntheticCities } from "../../jobs/sources/simulator.ts";
import { type Server, startServer } from "./child.ts";
import { type BenchOptions, percentile, shown, timedFetch, times, withFolder } from "./measure.ts";
import { post, runJobs, settled, startProgram } from "./program.ts";

/** A quarter of an hour between two observations of a city. */
const STEP_MS = 900_000;
const STEPS = DAY_MS / STEP_MS;
/** Requests before it counts. */
const WARM = 30;

const CITY = "city=station-0001";
const FROM_MEMORY = [
  "health/live",
  "health/ready",
  "cities",
  "current",
  `current?${CITY}`,
  "statistics",
  `statistics?${CITY}`,
  "trends",
  `trends?${CITY}`,
  "anomalies",
  "jobs",
  "pipeline",
];

/** Each route's answers, one request after the other on one connection; the client is this process, the server another. */
export async function benchApi({ quick, print }: BenchOptions): Promise<void> {
  const requests = quick ? 100 : 400;
  const bare = await startServer("bare-child.ts");
  try {
    for (const cities of quick ? [24] : [24, 1_000]) {
      await withFolder((folder) => benchLake(folder, cities, requests, bare, print));
    }
  } finally {
    await bare.stop();
  }
}

/**
 * Two days of a quarter-hourly network in JSON lines: the first in a file an hour, the second in a file for each step;
 * then the same two days as the compactor leaves them, a Parquet file each.
 */
async function benchLake(
  folder: string,
  cities: number,
  requests: number,
  bare: Server,
  print: (text: string) => void,
): Promise<void> {
  const from = Math.floor(Date.now() / DAY_MS - 3) * DAY_MS;
  const days = [0, 1, 2].map((day) => from + day * DAY_MS);
  const [first = 0, second = 0, third = 0] = days;
  const start = (batch: number, compactAfterHours: number) =>
    startProgram(folder, {
      cities,
      env: {
        BATCH_RECORDS: String(batch),
        BATCH_RECORDS_MAX: String(batch),
        COMPACT_AFTER_HOURS: String(compactAfterHours),
        // On demand only: a run in between would be in the figures of some routes and not of others.
        ANALYTICS_CRON: "0 0 1 1 *",
      },
    });
  const measured: Measured[] = [];
  const measure = async (server: Server, what: string, path: (request: number) => string) => {
    measured.push(await timesOf(server, bare, what, path, requests));
  };
  const lake = async (server: Server, from: number, files: string) => {
    // Each is a question of its own, with the same rows: an equal one would get the kept answer.
    const range = (request: number) =>
      `from=${formatTimestamp(from - request)}&to=${formatTimestamp(from + DAY_MS)}`;
    await measure(
      server,
      `observations, 24 h of one city, ${files}`,
      (request) => `observations?${CITY}&${range(request)}`,
    );
    if (cities <= 24)
      await measure(
        server,
        `observations, a page of 1,000, ${files}`,
        (request) => `observations?${range(request)}&limit=1000`,
      );
  };

  const perDay = cities * STEPS;
  let server = await start((cities * 3_600_000) / STEP_MS, 8760);
  for (const hour of recordsOf(cities, first, second, 3_600_000)) await post(server, hour);
  await settled(server, perDay);
  await server.stop();

  server = await start(cities, 8760);
  for (const step of recordsOf(cities, second, third + STEP_MS, STEP_MS)) await post(server, step);
  const jsonl = await settled(server, 2 * perDay + cities);
  await runJobs(server);
  for (const path of FROM_MEMORY) await measure(server, path, () => path);
  await lake(server, first, "24 files");
  await lake(server, second, "96 files");
  await server.stop();

  server = await start(cities, 0);
  const parquet = await settled(server, 2 * perDay + cities, ({ files }) => files <= 3);
  await lake(server, first, "Parquet, was 24");
  await lake(server, second, "Parquet, was 96");
  await server.stop();

  print(
    `API: ${shown(cities)} cities, ${shown(jsonl.rows)} rows in ${jsonl.files} files of JSON lines, then in ${parquet.files}; ` +
      `${requests} requests a route, one after the other, bodies not compressed\n`,
  );
  print(
    textTable(
      ["route", "bytes", "p50 ms", "p99 ms", "bare p50 ms", "bare p99 ms", "p50 to bare"],
      measured.map(({ what, bytes, own, bytesAlone }) => [
        what,
        shown(bytes),
        shown(percentile(own, 0.5)),
        shown(percentile(own, 0.99)),
        shown(percentile(bytesAlone, 0.5)),
        shown(percentile(bytesAlone, 0.99)),
        times(percentile(own, 0.5), percentile(bytesAlone, 0.5)),
      ]),
    ),
  );
  print("");
}

interface Measured {
  what: string;
  bytes: number;
  /** ms of each request. */
  own: number[];
  /** The same of a bare server that sends as many bytes. */
  bytesAlone: number[];
}

async function timesOf(
  server: Server,
  bare: Server,
  what: string,
  path: (request: number) => string,
  requests: number,
): Promise<Measured> {
  const all = async (url: (request: number) => string) => {
    const own: number[] = [];
    let bytes = 0;
    for (let i = 0; i < WARM + requests; i++) {
      const answer = await timedFetch(url(i));
      bytes = answer.bytes;
      if (i >= WARM) own.push(answer.ms);
    }
    return { own, bytes };
  };
  const { own, bytes } = await all((request) => `${server.url}/api/v1/${path(request)}`);
  const { own: bytesAlone } = await all(() => `${bare.url}/bytes/${bytes}`);
  return { what, bytes, own, bytesAlone };
}

/** Simulated observations of `cities` from `from` until before `to`, as much as `perPost` ms at a time. */
function* recordsOf(cities: number, from: number, to: number, perPost: number): Generator<NewRecord[]> {
  const all = simulatedRecords({ cities: syntheticCities(cities), from, to, stepMs: STEP_MS, seed: 1 });
  const size = (cities * perPost) / STEP_MS;
  let part: NewRecord[] = [];
  for (const chunk of all) {
    for (const record of chunk) {
      part.push(record);
      if (part.length < size) continue;
      yield part;
      part = [];
    }
  }
}
