import { textTable } from "../../server/commands/command.ts";
import { DAY_MS, formatTimestamp } from "../../core/time.ts";
import { simulatedRecords, syntheticCities } from "../../jobs/sources/simulator.ts";
import { type Server, startServer } from "./child.ts";
import { type BenchOptions, percentile, shown, timedFetch, times, withFolder } from "./measure.ts";
import { post, settled, startProgram } from "./program.ts";

/** Five minutes between two observations of a city. */
const STEP_MS = 300_000;
const CITIES = 5;
/** Requests at the same time. */
const CONNECTIONS = 16;
/** Records posted at once. */
const PART = 5_000;

/**
 * The most natural question: a week of one city, 2,016 rows with their flags. A new question each time, the same again, and the same by 16
 * connections; beside it a bare server that sends as many bytes to 16 connections.
 */
export async function benchWeek({ quick, print }: BenchOptions): Promise<void> {
  const days = quick ? 10 : 30;
  const end = Math.floor(Date.now() / DAY_MS) * DAY_MS;
  const from = end - days * DAY_MS;
  const bare = await startServer("bare-child.ts");
  try {
    await withFolder(async (folder) => {
      const server = await startProgram(folder, { cities: CITIES, env: { COMPACT_AFTER_HOURS: "0" } });
      const records = [
        ...simulatedRecords({ cities: syntheticCities(CITIES), from, to: end, stepMs: STEP_MS, seed: 1 }),
      ].flat();
      for (let start = 0; start < records.length; start += PART)
        await post(server, records.slice(start, start + PART));
      // Each closed day is one file with its flags.
      await settled(server, records.length, ({ files }) => files <= days + 24);
      const rows: (string | number)[][] = [];
      for (const format of ["json", "csv", "arrow"])
        rows.push(await measure(server, bare, format, from + DAY_MS, quick));
      await server.stop();
      print(
        `A week of one city, 2,016 rows, out of ${CITIES} cities and ${days} days every five minutes; ms, and requests/s of ${CONNECTIONS} connections\n`,
      );
      print(textTable(HEAD, rows));
      print("");
    });
  } finally {
    await bare.stop();
  }
}

const HEAD = [
  "format",
  "bytes",
  "new p50",
  "new p99",
  "again p50",
  "again p99",
  "new/s",
  "again/s",
  "bare/s",
  "again to bare",
];

async function measure(
  server: Server,
  bare: Server,
  format: string,
  from: number,
  quick: boolean,
): Promise<string[]> {
  let asked = 0;
  // A limit above the rows there are makes a question of its own, with the same rows.
  const week = (isNew: boolean) =>
    `${server.url}/api/v1/observations?city=station-0001&from=${formatTimestamp(from)}` +
    `&to=${formatTimestamp(from + 7 * DAY_MS)}&format=${format}&limit=${isNew ? 2_100 + (asked++ % 7_000) : 10_000}`;
  const { bytes } = await timedFetch(week(false));
  const oneByOne = async (isNew: boolean, requests: number) => {
    const all: number[] = [];
    for (let i = 0; i < requests; i++) all.push((await timedFetch(week(isNew))).ms);
    return all;
  };
  const perSecond = async (url: () => string) => {
    const seconds = quick ? 2 : 10;
    const until = performance.now() + seconds * 1000;
    let done = 0;
    const client = async () => {
      for (; performance.now() < until; done++) await timedFetch(url());
    };
    await Promise.all(Array.from({ length: CONNECTIONS }, client));
    return done / seconds;
  };
  const fresh = await oneByOne(true, quick ? 20 : 100);
  const again = await oneByOne(false, quick ? 100 : 400);
  const [newRate, rate, bareRate] = [
    await perSecond(() => week(true)),
    await perSecond(() => week(false)),
    await perSecond(() => `${bare.url}/bytes/${bytes}`),
  ];
  return [
    format,
    shown(bytes),
    ...[fresh, again].flatMap((all) => [shown(percentile(all, 0.5)), shown(percentile(all, 0.99))]),
    shown(newRate),
    shown(rate),
    shown(bareRate),
    times(rate, bareRate),
  ];
}
