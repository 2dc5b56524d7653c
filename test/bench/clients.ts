import { join } from "node:path";
import { textTable } from "../../server/commands/command.ts";
import { formatTimestamp } from "../../core/time.ts";
import { type Server, startServer } from "./child.ts";
import { type BenchOptions, median, percentile, shown, until, withFolder } from "./measure.ts";
import { post, runJobs, startProgram } from "./program.ts";
import { type FromReaders, type ReadersInput, nowMs } from "./readers-child.ts";

/** Between two events, ms. */
const EVERY_MS = 1_000;
/** Events before it counts. */
const WARM = 3;
/** Processes the readers are spread over. */
const PROCESSES = 2;
/** Descriptors of a process beside its connections. */
const SPARE_FILES = 200;
/** What has not arrived so long after the last event is lost, s. */
const LATE_S = 20;
/** Most time until all are connected, s. */
const CONNECT_S = 60;
const CITY = "Station 0001";
/** An observation of long ago: no client has one of that time. */
const BASE = Date.parse("2026-01-01T00:00:00Z");

/** What one server did with one set of readers. */
interface Measured {
  latencies: number[];
  /** Memory of the server, bytes: before the first reader, with all of them after the last event, and the most of all time. */
  before: number;
  after: number;
  peak: number;
}

/**
 * Thousands of clients of the live feed of one process, one event a second: latency from just before the append is posted
 * to each client's socket, and the memory of the server, also with a client that never reads; beside a bare server that sends
 * one event for each that is posted. The program sends more than that: the judgement and the pipeline's state follow. Its jobs have run
 * before, because the first data starts all of them at once, and they take both of two cores.
 *
 * @throws Error where the system lets a process open too few files, or an event did not arrive
 */
export async function benchClients({ quick, print }: BenchOptions): Promise<void> {
  const readers = quick ? 1_000 : 5_000;
  const events = quick ? 8 : 20;
  const rounds = quick ? 1 : 3;
  checkFiles(readers + SPARE_FILES);
  const measured = new Map<string, Measured[]>();
  const note = (what: string, one: Measured) => {
    measured.set(what, [...(measured.get(what) ?? []), one]);
  };
  for (let round = 0; round < rounds; round++) {
    for (const silent of [0, 1]) {
      const also = silent === 0 ? "" : ", one more never reads";
      const load = { readers, events, silent };
      await withFolder(async (folder) => {
        const program = await startProgram(folder, { cities: 1, env: { ANALYTICS_CRON: "0 0 1 1 *" } });
        note(`isobar${also}`, await measure(program, load, () => runJobs(program)));
      });
      note(`bare Bun.serve${also}`, await measure(await startServer("bare-child.ts"), load));
    }
  }
  print(
    `Clients: ${shown(readers)} of /live on one process, ${events} events, one a second; append -> each client, medians of ${rounds} rounds; memory after a garbage collection, MiB\n`,
  );
  print(
    textTable(
      ["server", "p50 ms", "p99 ms", "p99 of each round", "RSS before", "with all", "growth", "peak"],
      [...measured].map(([what, all]) => {
        const share = (part: number) => all.map(({ latencies }) => percentile(latencies, part));
        const size = (bytes: (one: Measured) => number) => shown(median(all.map(bytes)) / 2 ** 20);
        return [
          what,
          shown(median(share(0.5))),
          shown(median(share(0.99))),
          share(0.99).map(shown).join(", "),
          size(({ before }) => before),
          size(({ after }) => after),
          size(({ before, after }) => after - before),
          size(({ peak }) => peak),
        ];
      }),
    ),
  );
  print("");
}

/** Measures a server and stops it. */
async function measure(
  server: Server,
  { readers, events, silent }: { readers: number; events: number; silent: number },
  ready: () => Promise<void> = async () => {},
): Promise<Measured> {
  const total = WARM + events;
  const groups: Group[] = [];
  try {
    // Warm before the first reader: its memory is not theirs.
    for (let i = 1; i <= WARM; i++) await send(server, BASE - i * 1000);
    await ready(); // their memory neither
    const { rss: before } = await server.memory();
    for (let i = 0; i < PROCESSES; i++) {
      const share = Math.floor(readers / PROCESSES) + (i < readers % PROCESSES ? 1 : 0);
      const own = { url: `${server.url}/live`, readers: share, silent: i === 0 ? silent : 0 };
      groups.push(await startGroup({ ...own, base: BASE, events: total }));
    }
    const sent: number[] = [];
    for (let index = 0; index < total; index++) {
      const next = Bun.sleep(EVERY_MS);
      sent.push(nowMs());
      await send(server, BASE + index * 1000);
      await next;
    }
    const arrivals = await until(`the arrival of ${total} events at ${readers} clients`, LATE_S, async () => {
      const all = await Promise.all(groups.map((group) => group.ask()));
      const merged = sent.map((_, index) => all.flatMap(({ arrivals: own }) => own[index] ?? []));
      return merged.every((times) => times.length === readers) && merged;
    });
    const latencies = arrivals.flatMap((times, index) => times.map((at) => at - sent[index]!));
    const { rss: after, peak } = await server.memory();
    return { latencies: latencies.slice(WARM * readers), before, after, peak };
  } finally {
    for (const group of groups) group.stop();
    await server.stop();
  }
}

async function send(server: Server, ms: number): Promise<void> {
  const value = JSON.stringify({
    timestamp: formatTimestamp(ms),
    city: CITY,
    temperature: 15,
    humidity: 70,
    pressure: 1013,
    wind_speed: 3,
    rainfall: 0,
    weather_main: "Clouds",
    weather_description: "few clouds",
    source: "bench",
  });
  await post(server, [{ key: CITY, value }]);
}

/** Readers in a process of their own. */
interface Group {
  /** When which event arrived so far. */
  ask(): Promise<{ arrivals: number[][] }>;
  stop(): void;
}

async function startGroup(input: ReadersInput): Promise<Group> {
  const connected = Promise.withResolvers<void>();
  let answer: (message: { arrivals: number[][] }) => void = () => {};
  const file = join(import.meta.dir, "readers-child.ts");
  const child = Bun.spawn([process.execPath, "--no-env-file", file, JSON.stringify(input)], {
    stdout: "inherit",
    stderr: "inherit",
    ipc(message: FromReaders) {
      if ("connected" in message) connected.resolve();
      else answer(message);
    },
    onExit: (_child, code) => connected.reject(new Error(`Cannot measure: the readers ended with ${code}`)),
  });
  const late = setTimeout(() => {
    connected.reject(
      new Error(`Cannot measure: not all ${input.readers} clients connected within ${CONNECT_S} s`),
    );
  }, CONNECT_S * 1000);
  try {
    await connected.promise;
  } catch (error) {
    child.kill();
    throw error;
  } finally {
    clearTimeout(late);
  }
  return {
    ask: () =>
      new Promise((resolve) => {
        answer = resolve;
        child.send("arrivals");
      }),
    stop: () => void child.kill(),
  };
}

/** @throws Error where a process may open fewer files than `wanted` */
function checkFiles(wanted: number): void {
  const { stdout } = Bun.spawnSync(["sh", "-c", "ulimit -n"]);
  const limit = stdout.toString().trim();
  if (limit === "unlimited" || Number(limit) >= wanted) return;
  throw new Error(
    `Cannot measure: a process may open ${limit} files here, wanted ${wanted}: raise it with "ulimit -n ${wanted}"`,
  );
}
