import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type Clock, systemClock } from "../../core/clock.ts";
import { createLogger, silentLogger } from "../../core/log.ts";
import { verifyPartition, type PartitionProof } from "../../jobs/verify.ts";
import { loadConfig } from "../../server/config/config.ts";
import { openPorts } from "../../server/wiring/ports.ts";
import { startProgram, type Program } from "../../server/program.ts";

const root = resolve(import.meta.dir, "../..");
/** A port nobody listens on: privileged, and no service of today. */
const NOWHERE = "http://127.0.0.1:1";
/** Longest wait for anything, ms. */
const DEADLINE_MS = 50_000;

/** Settings as environment variables. */
export type Env = Record<string, string>;

/** Settings of a program that is quick, quiet, simulated, and sees nothing of this machine's. */
export const QUICK: Env = {
  PORT: "0",
  WEATHER_SOURCE: "simulator",
  POLL_SECONDS: "0.5",
  FLUSH_SECONDS: "0.2",
  OPENWEATHERMAP_URL: NOWHERE,
  OPEN_METEO_URL: NOWHERE,
  OPEN_METEO_ARCHIVE_URL: NOWHERE,
  METAR_URL: NOWHERE,
  BACKFILL_DAYS: "0",
  LOG_FORMAT: "json",
};

/** A folder for a test; it goes with the `await using` that holds it. */
export async function temporaryFolder(): Promise<{ path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), "isobar-program-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** A clock on which long waits are short: backoff passes in a moment, and whoever looks every second looks more often. */
const impatientClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) => systemClock.sleep(Math.min(ms, 100), signal),
};

/** A program that runs in this process. */
export interface TestProgram extends AsyncDisposable {
  program: Program;
  url: URL;
  /** What was logged, a line each. */
  lines: string[];
  get(path: string, init?: RequestInit): Promise<{ status: number; body: Json }>;
}

/** An answer, read where a test looks into it. */
// oxlint-disable-next-line typescript/no-explicit-any -- the tests are what checks its shape
export type Json = any;

/** Starts the program in this process, on {@link impatientClock}. @throws what the start throws */
export async function startHere(env: Env): Promise<TestProgram> {
  const { config } = loadConfig({ ...QUICK, ...env }, { isTerminal: false });
  const lines: string[] = [];
  const logger = createLogger({ level: "debug", format: "json", write: (line) => lines.push(line) });
  const program = await startProgram(config, {
    clock: impatientClock,
    logger,
    signal: new AbortController().signal,
  });
  const url = program.url ?? new URL(NOWHERE);
  return {
    program,
    url,
    lines,
    get: (path, init) => getJson(url, path, init),
    [Symbol.asyncDispose]: async () => void (await program.stop()),
  };
}

/** Asks a program and reads its JSON. */
export async function getJson(
  url: URL,
  path: string,
  init?: RequestInit,
): Promise<{ status: number; body: Json }> {
  const response = await fetch(new URL(path, url), init);
  return { status: response.status, body: (await response.json()) as Json };
}

/** Posts lines of records. */
export function postLines(url: URL, lines: readonly string[]): Promise<{ status: number; body: Json }> {
  return getJson(url, "/api/v1/observations?history=true", {
    method: "POST",
    headers: { "content-type": "application/x-ndjson" },
    body: lines.join("\n"),
  });
}

/**
 * Asks again and again, for what no event tells, until the answer is no longer undefined.
 *
 * @param what is waited for; as a function it is asked once it was in vain, and may tell what stood in the way
 */
export async function eventually<T>(
  what: string | (() => string),
  look: () => Promise<T | undefined> | T | undefined,
): Promise<T> {
  const end = performance.now() + DEADLINE_MS;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > end)
      throw new Error(`waited ${DEADLINE_MS} ms in vain: ${typeof what === "string" ? what : what()}`);
    await Bun.sleep(20);
  }
}

/** A program of ours in a process of its own. */
export interface Child extends AsyncDisposable {
  pid: number;
  /** Everything it wrote to standard error so far. */
  err(): string;
  /** Resolves with the match of the first line of standard error that matches. */
  line(pattern: RegExp): Promise<RegExpExecArray>;
  /** Where its server answers. */
  url(): Promise<URL>;
  kill(signal: NodeJS.Signals): void;
  /** Resolves when it has ended. */
  ended: Promise<{ code: number; out: string; err: string }>;
}

/**
 * Starts a file of ours with Bun, in an environment of the given settings alone.
 *
 * @param file below the project, such as `server/main.ts`
 */
export function spawnProgram(file: string, env: Env, args: readonly string[] = []): Child {
  const child = Bun.spawn([process.execPath, "--no-env-file", file, ...args], {
    cwd: root,
    env: { PATH: process.env.PATH ?? "", HOME: tmpdir(), ...QUICK, ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  let err = "";
  let over = false;
  let changed = Promise.withResolvers<void>();
  const read = async () => {
    const decoder = new TextDecoder();
    for await (const chunk of child.stderr) {
      err += decoder.decode(chunk, { stream: true });
      changed.resolve();
      changed = Promise.withResolvers();
    }
    over = true;
    changed.resolve();
  };
  const reading = read();
  const out = child.stdout.text();
  const ended = Promise.all([child.exited, out, reading]).then(([code, text]) => ({ code, out: text, err }));
  const line = async (pattern: RegExp) => {
    const timer = AbortSignal.timeout(DEADLINE_MS);
    for (;;) {
      const more = changed.promise;
      for (const text of err.split("\n")) {
        const match = pattern.exec(text);
        if (match !== null) return match;
      }
      if (over || timer.aborted) throw new Error(`${file} never wrote ${pattern}:\n${err}`);
      await Promise.race([more, new Promise<void>((done) => timer.addEventListener("abort", () => done()))]);
    }
  };
  return {
    pid: child.pid,
    err: () => err,
    line,
    url: async () => new URL((await line(/Isobar is at (http:[^"\s]+)/))[1]!),
    kill: (signal) => child.kill(signal),
    ended,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/** An event of the live stream. */
export interface LiveEvent {
  name: string;
  id: string | null;
  data: Json;
}

/** Follows the live stream; it ends with the server or when the loop is left. */
export async function* liveEvents(url: URL, lastEventId?: string): AsyncGenerator<LiveEvent> {
  const leave = new AbortController();
  const headers = lastEventId === undefined ? {} : { "last-event-id": lastEventId };
  const signal = AbortSignal.any([leave.signal, AbortSignal.timeout(DEADLINE_MS)]);
  const response = await fetch(new URL("/live", url), { headers, signal });
  const decoder = new TextDecoder();
  let text = "";
  try {
    for await (const chunk of response.body!) {
      text += decoder.decode(chunk, { stream: true });
      for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
        const event = text.slice(0, end);
        text = text.slice(end + 2);
        const data = /^data: (.*)$/m.exec(event)?.[1];
        if (data === undefined) continue;
        const name = /^event: (.*)$/m.exec(event)?.[1] ?? "message";
        yield { name, id: /^id: (.*)$/m.exec(event)?.[1] ?? null, data: JSON.parse(data) as Json };
      }
    }
  } finally {
    leave.abort();
  }
}

/** What `verify` finds out about a data set that no program works on. */
export async function proofOf(dataDir: string, dataset: string): Promise<PartitionProof> {
  const { config } = loadConfig({ ...QUICK, DATA_DIR: dataDir }, { isTerminal: false });
  const ports = await openPorts(config, dataset, { clock: systemClock, logger: silentLogger });
  try {
    return await verifyPartition(ports.lake, ports.log, ports.engine, 0);
  } finally {
    await ports.close();
  }
}
