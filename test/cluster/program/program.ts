import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { resolve } from "node:path";

const ROOT = resolve(import.meta.dir, "../../..");
/** Longest wait for anything, ms: a server may start on a busy machine in it. */
const WAIT_MS = 900_000;
/**
 * Longest time of an answer, ms. The slowest are those that ask a lake that is away, which is given up after 8 s; the rest
 * is for a busy machine.
 */
const ANSWER_MS = 20_000;
/** The same where something is posted, ms: an append tries for a minute. */
const POST_MS = 90_000;
const LOOK_MS = 200;
/** Pause between two posts, ms. */
const POST_EVERY_MS = 500;

/** Looks again and again at what no event tells, until the answer is no longer undefined. */
export async function eventually<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  const end = performance.now() + WAIT_MS;
  let last: unknown = "";
  for (;;) {
    const found = await look().catch((error: unknown) => void (last = error));
    if (found !== undefined) return found as T;
    if (performance.now() > end) throw new Error(`Waited in vain: ${what} ${String(last)}`);
    await Bun.sleep(LOOK_MS);
  }
}

/** What `/api/v1/pipeline` says, as far as it is looked at here. */
interface Pipeline {
  partitions: { high: number | null; next: number; rows: number }[];
}

/** The program as users run it: a process of its own. */
export class RunningProgram {
  readonly url: URL;
  readonly #child: Bun.ReadableSubprocess;
  readonly #output: () => string;
  /** The most memory it ever had, bytes. */
  peak = 0;
  readonly #watching: Promise<void>;

  private constructor(child: Bun.ReadableSubprocess, output: () => string, url: URL) {
    this.#child = child;
    this.#output = output;
    this.url = url;
    this.#watching = this.#watchMemory();
  }

  /** Starts it, and waits until it has said where its pages are. */
  static async start(env: Record<string, string>): Promise<RunningProgram> {
    const child = spawn("server/main.ts", env);
    let output = "";
    const read = async (): Promise<void> => {
      const decoder = new TextDecoder();
      for await (const chunk of child.stderr) output += decoder.decode(chunk, { stream: true });
    };
    void read();
    const ended = child.exited.then((code) => {
      throw new Error(`The program ended with ${code}:\n${output}`);
    });
    const listening = eventually("the program starts", async () => {
      const text = /Isobar is at (http:[^"\s]+)/.exec(output)?.[1];
      return text === undefined ? undefined : new URL(text);
    });
    listening.catch(() => {}); // it may have ended before
    ended.catch(() => {}); // it ends some time, and this is about the start
    const url = await Promise.race([listening, ended]);
    return new RunningProgram(child, () => output, url);
  }

  /** What it logged. */
  get output(): string {
    return this.#output();
  }

  /** Asks it; the whole answer is read. @throws when it takes longer than an answer may */
  async get(path: string): Promise<{ status: number; text: string }> {
    const accept = path.startsWith("/api") ? "application/json" : "text/html";
    const signal = AbortSignal.timeout(ANSWER_MS);
    const response = await fetch(new URL(path, this.url), { headers: { accept }, signal });
    return { status: response.status, text: await response.text() };
  }

  /** Posts lines of records. @returns the status */
  async post(lines: readonly string[]): Promise<number> {
    const response = await fetch(new URL("/api/v1/observations?history=true", this.url), {
      method: "POST",
      headers: { "content-type": "application/x-ndjson" },
      body: lines.join("\n"),
      signal: AbortSignal.timeout(POST_MS),
    });
    await response.text();
    return response.status;
  }

  /** Starts a run of a job. */
  async run(job: string): Promise<void> {
    const response = await fetch(new URL(`/api/v1/jobs/${job}/runs`, this.url), {
      method: "POST",
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    if (response.status !== 202) throw new Error(`Cannot run ${job}: ${await response.text()}`);
  }

  /** Why it is not ready; empty when it is. */
  async reasons(): Promise<string[]> {
    const { status, text } = await this.get("/api/v1/health/ready");
    const { reasons } = JSON.parse(text) as { reasons: string[] };
    if ((status === 200) !== (reasons.length === 0)) throw new Error(`${status} with ${text}`);
    return reasons;
  }

  /** Waits until it is ready again. */
  async ready(): Promise<void> {
    await eventually("the program is ready", async () => {
      const reasons = await this.reasons();
      if (reasons.length > 0) throw new Error(reasons.join("; "));
      return true;
    });
  }

  /** Waits until its health and the page of the pipeline say that these stages stand still, and those others do not. */
  async names(still: readonly string[], others: readonly string[] = []): Promise<void> {
    await eventually(`health and page name ${still.join(" and ")}`, async () => {
      const reasons = await this.reasons();
      const named = reasons.flatMap((reason) => /^The (\w+) stands still: \S/.exec(reason)?.[1] ?? []);
      const { text } = await this.get("/pipeline");
      const [, headline = ""] = /The ([a-z ]+) stands? still/.exec(text) ?? [];
      for (const place of [named, headline.split(" and ")]) {
        const wrong =
          !still.every((stage) => place.includes(stage)) || others.some((stage) => place.includes(stage));
        if (wrong) throw new Error(`${headline}; ${reasons.join("; ")}`);
      }
      return true;
    });
  }

  /** How far the lake is, and where the log ends: sums over the partitions. */
  async progress(): Promise<{ next: number; high: number; rows: number }> {
    const { partitions } = JSON.parse((await this.get("/api/v1/pipeline")).text) as Pipeline;
    const sum = (pick: (one: Pipeline["partitions"][number]) => number) =>
      partitions.reduce((total, one) => total + pick(one), 0);
    return {
      next: sum(({ next }) => next),
      high: sum(({ high }) => high ?? NaN),
      rows: sum(({ rows }) => rows),
    };
  }

  /** Waits until everything the log holds now is committed, and something more. */
  async flows(): Promise<void> {
    const high = await eventually("the log's end is known", async () => {
      const { high: end } = await this.progress();
      return Number.isNaN(end) ? undefined : end;
    });
    await eventually(`the lake gets beyond offset ${high}`, async () =>
      (await this.progress()).next > high ? true : undefined,
    );
  }

  /** Asks it to stop. @returns its exit code */
  async stop(): Promise<number> {
    this.#child.kill("SIGTERM");
    return this.#ended();
  }

  /** Ends it at once. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#ended();
  }

  async #ended(): Promise<number> {
    const code = await this.#child.exited;
    await this.#watching;
    return code;
  }

  async #watchMemory(): Promise<void> {
    while (this.#child.exitCode === null && this.#child.signalCode === null) {
      const status = await readFile(`/proc/${this.#child.pid}/status`, "utf8").catch(() => "");
      const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
      this.peak = Math.max(this.peak, 1024 * Number(kilobytes ?? 0));
      await Bun.sleep(LOOK_MS);
    }
  }
}

/** Runs a command of the program's to its end. */
export async function runCommand(
  file: string,
  env: Record<string, string>,
  args: readonly string[] = [],
): Promise<{ code: number; out: string; err: string }> {
  const child = spawn(file, env, args);
  const [code, out, err] = await Promise.all([child.exited, child.stdout.text(), child.stderr.text()]);
  return { code, out, err };
}

function spawn(file: string, env: Record<string, string>, args: readonly string[] = []) {
  return Bun.spawn([process.execPath, "--no-env-file", file, ...args], {
    cwd: ROOT,
    env: { PATH: process.env.PATH ?? "", HOME: tmpdir(), ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
}

/** What must be answered with a success whatever is away. */
const PATHS = [
  "/",
  "/pipeline",
  "/fragments/headline",
  "/api/v1/health/live",
  "/api/v1/current",
  "/api/v1/cities",
  "/api/v1/pipeline",
  "/api/v1/jobs",
  "/api/v1/runs",
];
/** Needs the lake: it may be refused, but not be left without an answer. */
const FROM_LAKE = "/api/v1/observations?limit=10";

/**
 * Reads every page and route again and again while `action` runs.
 *
 * @returns what was not answered as it should, a line each
 */
export async function watched(program: RunningProgram, action: () => Promise<void>): Promise<string[]> {
  const problems: string[] = [];
  let over = false;
  const reader = async (path: string): Promise<void> => {
    while (!over) {
      const answer = await program.get(path).catch((error: unknown) => error);
      if (answer instanceof Error) problems.push(`${path}: ${answer.name} ${answer.message}`);
      else {
        const { status, text } = answer as { status: number; text: string };
        const refused = path === FROM_LAKE && status === 503 && text.includes('"unavailable"');
        if (!refused && (status < 200 || status > 299))
          problems.push(`${path}: ${status} ${text.slice(0, 200)}`);
      }
      await Bun.sleep(LOOK_MS);
    }
  };
  const readers = [...PATHS, FROM_LAKE].map(reader);
  try {
    await action();
  } finally {
    over = true;
    await Promise.all(readers);
  }
  return problems;
}

/** Posts observations of stations of its own, without a pause, and notes which were acknowledged. */
export class Stations {
  /** Lines by whether they were acknowledged. */
  readonly acknowledged: string[] = [];
  readonly refused: string[] = [];
  /** Posts that got no answer. */
  readonly hung: string[] = [];
  /** Lines that are no observation, and lines sent once more, of what was acknowledged. */
  bad = 0;
  repeated = 0;
  readonly #program: () => RunningProgram;
  #count = 0;
  #over = false;
  #running: Promise<void> = Promise.resolve();

  constructor(program: () => RunningProgram) {
    this.#program = program;
  }

  start(): void {
    this.#over = false;
    this.#running = this.#work();
  }

  async stop(): Promise<void> {
    this.#over = true;
    await this.#running;
  }

  async #work(): Promise<void> {
    for (let turn = 0; !this.#over; turn++) {
      const lines = Array.from({ length: 10 }, () => this.#next());
      const again = turn % 10 === 0 ? this.acknowledged.slice(-3) : [];
      const bad = turn % 10 === 5 ? ["this is no record"] : [];
      try {
        const status = await this.#program().post([...lines, ...again, ...bad]);
        (status === 200 ? this.acknowledged : this.refused).push(...lines);
        if (status !== 200 && status !== 503) this.hung.push(`answered with ${status}`);
        if (status !== 200) continue;
        this.bad += bad.length;
        this.repeated += again.length;
      } catch (error) {
        this.refused.push(...lines);
        this.hung.push(String(error));
      } finally {
        await Bun.sleep(POST_EVERY_MS);
      }
    }
  }

  /** No two alike: three stations, one observation a second each of the last days. */
  #next(): string {
    const number = this.#count++;
    const city = ["Aarau", "Bern", "Chur"][number % 3];
    const timestamp = new Date(START + Math.floor(number / 3) * 1_000).toISOString().replace(".000Z", "Z");
    return JSON.stringify({ timestamp, city, temperature: (number % 4_000) / 100, source: "station" });
  }
}

/** A midnight three days ago: it is in the past however long a test takes, and too old for the live judge to look at. */
const START = (Math.floor(Date.now() / 86_400_000) - 3) * 86_400_000;
