import { textTable } from "../../server/commands/command.ts";
import { startServer, type Server } from "./child.ts";
import { startProgram } from "./program.ts";
import { type BenchOptions, median, percentile, shown, times, withFolder } from "./measure.ts";

const APPENDS = 200;
const EVERY_MS = 20;
const RECORDS = 5;
/** Appends before it counts. */
const WARM = 25;
/** What has not arrived so long after the last append is lost, ms. */
const LATE_MS = 10_000;

/**
 * Latency from just before an append is posted to the moment its observations have arrived at a connected client: through
 * the request, the durable log, the feed and the stream. The client is this process, the server another.
 */
export async function benchLive({ quick, print }: BenchOptions): Promise<void> {
  const rounds = quick ? 1 : 5;
  const isobar: number[][] = [];
  const bare: number[][] = [];
  await withFolder(async (folder) => {
    const program = await startProgram(folder, { cities: RECORDS });
    const echo = await startServer("bare-child.ts");
    try {
      for (let round = 0; round < rounds; round++) {
        isobar.push(await latencies(program, "/live", round));
        bare.push(await latencies(echo, "/live", round));
      }
    } finally {
      await program.stop();
      await echo.stop();
    }
  });
  const line = (what: string, measured: readonly number[][]) => {
    const share = (part: number) => median(measured.map((round) => percentile(round, part)));
    return { what, p50: share(0.5), p99: share(0.99), max: Math.max(...measured.flat()) };
  };
  const [own, echo] = [line("append -> SSE client", isobar), line("bare Bun.serve echo", bare)];
  print(
    `Live: ${APPENDS} appends of ${RECORDS} records, one every ${EVERY_MS} ms, ms; p50 and p99 are medians of ${rounds} rounds\n`,
  );
  print(
    textTable(
      ["what", "p50 ms", "p99 ms", "worst ms", "p50 to bare", "p99 to bare"],
      [own, echo].map(({ what, p50, p99, max }) => [
        what,
        shown(p50),
        shown(p99),
        shown(max),
        times(p50, echo.p50),
        times(p99, echo.p99),
      ]),
    ),
  );
  print("");
}

/** One round: ms of each append. @throws Error when an observation did not arrive */
async function latencies(server: Server, path: string, round: number): Promise<number[]> {
  const total = WARM + APPENDS;
  const sent: number[] = [];
  const missing = Array.from({ length: total }, () => RECORDS);
  const arrived: number[] = [];
  const done = Promise.withResolvers<void>();
  const base = Date.now() - 3_600_000 * (round + 1);
  const leave = new AbortController();
  const response = await fetch(`${server.url}${path}`, { signal: leave.signal });
  const reading = readEvents(response, (observations, at) => {
    for (const { timestamp } of observations) {
      const index = Math.round((Date.parse(timestamp) - Math.floor(base / 1000) * 1000) / 1000);
      if (index < 0 || index >= total) continue; // of another round
      missing[index]!--;
      if (missing[index] === 0) arrived[index] = at - sent[index]!;
    }
    if (missing.every((count) => count === 0)) done.resolve();
  });
  const posts: Promise<unknown>[] = [];
  for (let index = 0; index < total; index++) {
    const body = bodyOf(Math.floor(base / 1000) * 1000 + index * 1000);
    sent[index] = performance.now();
    posts.push(
      fetch(`${server.url}/api/v1/observations?history=true`, {
        method: "POST",
        headers: { "content-type": "application/x-ndjson" },
        body,
      }).then(async (answer) => {
        if (!answer.ok) throw new Error(`Cannot append: ${answer.status} ${await answer.text()}`);
        await answer.bytes();
      }),
    );
    await Bun.sleep(EVERY_MS);
  }
  await Promise.all(posts);
  const late = setTimeout(() => {
    const count = missing.filter((left) => left > 0).length;
    done.reject(new Error(`Cannot measure: ${count} appends did not arrive within ${LATE_MS} ms`));
  }, LATE_MS);
  await done.promise.finally(() => clearTimeout(late));
  leave.abort();
  await reading;
  return arrived.slice(WARM);
}

function bodyOf(ms: number): string {
  const timestamp = new Date(ms).toISOString().replace(".000Z", "Z");
  return Array.from({ length: RECORDS }, (_, index) =>
    JSON.stringify({
      timestamp,
      city: `Station ${String(index + 1).padStart(4, "0")}`,
      temperature: 15 + index,
      humidity: 70,
      pressure: 1013,
      wind_speed: 3,
      rainfall: 0,
      weather_main: "Clouds",
      weather_description: "few clouds",
      source: "bench",
    }),
  ).join("\n");
}

/** Reads a stream of server-sent events until it is cut. */
async function readEvents(
  response: Response,
  take: (observations: readonly { timestamp: string }[], at: number) => void,
): Promise<void> {
  const decoder = new TextDecoder();
  let text = "";
  try {
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      const at = performance.now();
      text += decoder.decode(chunk, { stream: true });
      const events = text.split("\n\n");
      text = events.pop() ?? "";
      for (const event of events) {
        if (!event.startsWith("event: observations\n")) continue;
        const data = event.slice(event.indexOf("\ndata: ") + 7);
        take((JSON.parse(data) as { observations: { timestamp: string }[] }).observations, at);
      }
    }
  } catch (error) {
    if ((error as Error).name !== "AbortError") throw error;
  }
}
