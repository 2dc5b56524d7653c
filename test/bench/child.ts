import { join } from "node:path";

const ROOT = join(import.meta.dir, "../..");

/** A command in a process of its own that has ended. */
export interface Ended {
  output: string;
  code: number;
  seconds: number;
}

/** Runs a TypeScript file to its end, in a process of its own: memory and CPU of the caller are not in it. */
export async function run(
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const started = performance.now();
  const child = Bun.spawn([process.execPath, "--no-env-file", file, ...args], {
    cwd: ROOT,
    env: { ...process.env, LOG_LEVEL: "error", LOG_FORMAT: "json", ...env },
    stdout: "pipe",
    stderr: "inherit",
  });
  const output = await new Response(child.stdout).text();
  const code = await child.exited;
  return { output, code, seconds: (performance.now() - started) / 1000 };
}

/** Runs a file of this folder and reads the JSON it prints. @throws Error when it fails */
export async function runJson<T>(file: string, input: object): Promise<T> {
  const { output, code } = await run(join(import.meta.dir, file), [JSON.stringify(input)]);
  if (code !== 0) throw new Error(`Cannot measure: ${file} ended with ${code}`);
  return JSON.parse(output) as T;
}

/** A server in a process of its own. */
export interface Server {
  url: string;
  /** Its memory after a garbage collection. */
  memory(): Promise<Memory>;
  /** The CPU time of all its threads since it started, ms. */
  cpu(): Promise<number>;
  stop(): Promise<void>;
}

/** Bytes. */
export interface Memory {
  /** What the system gives the process. */
  rss: number;
  /** The most of it since the process started. */
  peak: number;
  /** What JavaScript objects take. */
  heap: number;
}

/** What a server process says: first where it is, then its memory or CPU time as often as it is asked. */
export type FromServer = { url: string } | { memory: Memory } | { cpu: number };
/** What a server process is told. */
export type ToServer = "memory" | "cpu" | "stop";

/** Starts a server of this folder: one that calls {@link serveParent}. It ends when it is told to or this process does. */
export async function startServer(file: string, env: Readonly<Record<string, string>> = {}): Promise<Server> {
  const started = Promise.withResolvers<string>();
  let answerMemory: (memory: Memory) => void = () => {};
  let answerCpu: (ms: number) => void = () => {};
  const child = Bun.spawn([process.execPath, "--no-env-file", join(import.meta.dir, file)], {
    cwd: ROOT,
    env: { ...process.env, LOG_LEVEL: "error", LOG_FORMAT: "json", PORT: "0", HOST: "127.0.0.1", ...env },
    stdout: "inherit",
    stderr: "inherit",
    ipc(message: FromServer) {
      if ("url" in message) started.resolve(message.url.replace(/\/$/, ""));
      else if ("cpu" in message) answerCpu(message.cpu);
      else answerMemory(message.memory);
    },
    onExit: (_child, code) => started.reject(new Error(`Cannot measure: ${file} ended with ${code}`)),
  });
  const tell = (message: ToServer) => child.send(message);
  return {
    url: await started.promise,
    memory: () =>
      new Promise((resolve) => {
        answerMemory = resolve;
        tell("memory");
      }),
    cpu: () =>
      new Promise((resolve) => {
        answerCpu = resolve;
        tell("cpu");
      }),
    async stop() {
      tell("stop");
      await child.exited;
    },
  };
}

/** The other end of {@link startServer}: tells where the server is, answers, and ends the process when it is time. */
export function serveParent(url: string, stop: () => Promise<void>): void {
  const send = (message: FromServer) => process.send?.(message);
  const end = () => void stop().finally(() => process.exit(0));
  process.on("message", (message: ToServer) => {
    if (message === "stop") return end();
    if (message === "cpu") {
      const { user, system } = process.cpuUsage();
      return send({ cpu: (user + system) / 1000 });
    }
    Bun.gc(true);
    const peak = process.resourceUsage().maxRSS * 1024;
    send({ memory: { rss: process.memoryUsage.rss(), peak, heap: process.memoryUsage().heapUsed } });
  });
  process.on("disconnect", end);
  send({ url });
}
