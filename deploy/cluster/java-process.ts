import { spawn } from "node:child_process";
import { mkdir, open, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { codeOf, IsobarError } from "../../core/errors.ts";

/** How a Java server is started. */
export interface JavaServer {
  /** Unique in its folder: `kafka-1`, `namenode`. */
  name: string;
  /** Folder of its pid file and its output, usually of its data too. */
  folder: string;
  /** Folder of jars, and folders of configuration that come before them. */
  jars: string;
  configuration?: readonly string[];
  /** JVM options. */
  jvm: readonly string[];
  /** Main class and its arguments. */
  main: string;
  args: readonly string[];
  /** Added to the environment of this process; undefined removes a variable. */
  env?: Readonly<Record<string, string | undefined>>;
  /** Working folder. Default: `folder`. */
  cwd?: string;
}

/** A server that was started here, maybe by another process. */
export interface JavaProcess {
  name: string;
  pid: number;
  /** File with its output. */
  output: string;
}

/** Result of a command. */
export interface CommandResult {
  /** Exit code. */
  code: number;
  out: string;
  err: string;
}

/** Longest wait for a server to end by itself, ms. */
const STOP_MS = 20_000;
const LOOK_MS = 100;

/** The command line of a JVM over the jars of a server. */
export function javaCommand(server: Omit<JavaServer, "name" | "folder">): string[] {
  const classpath = [...(server.configuration ?? []), `${server.jars}/*`].join(":");
  return ["java", ...server.jvm, "-cp", classpath, server.main, ...server.args];
}

/** Runs a Java program to its end, for `timeoutMs` at the longest. */
export async function runJava(
  program: Omit<JavaServer, "name" | "folder" | "cwd"> & { cwd: string },
  timeoutMs: number,
): Promise<CommandResult> {
  const child = Bun.spawn(javaCommand(program), {
    cwd: program.cwd,
    env: { ...process.env, ...program.env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    timeout: timeoutMs,
  });
  const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { code, out, err };
}

/**
 * Starts a Java server that outlives this process, and notes its process id in its folder.
 *
 * @throws IsobarError `running` when one of that name runs already
 */
export async function startJava(server: JavaServer): Promise<JavaProcess> {
  await mkdir(server.folder, { recursive: true });
  const before = await runningServer(server.folder, server.name);
  if (before !== null) {
    throw new IsobarError("running", `Cannot start ${server.name}: it runs already as process ${before.pid}`);
  }
  const output = join(server.folder, `${server.name}.out`);
  const file = await open(output, "a");
  try {
    const [command, ...args] = javaCommand({
      ...server,
      jvm: [marker(server.folder, server.name), ...server.jvm],
    });
    const child = spawn(command!, args, {
      cwd: server.cwd ?? server.folder,
      env: { ...process.env, ...server.env },
      detached: true,
      stdio: ["ignore", file.fd, file.fd],
    });
    await new Promise<void>((resolve, reject) => child.once("spawn", resolve).once("error", reject));
    child.unref();
    await Bun.write(notePath(server.folder, server.name), JSON.stringify({ pid: child.pid }));
    // A new process has no command line yet, so that `runningServer` would not recognise it.
    while (child.exitCode === null && (await runningServer(server.folder, server.name)) === null)
      await Bun.sleep(5);
    return { name: server.name, pid: child.pid!, output };
  } finally {
    await file.close();
  }
}

/** The server of that name, if it runs. A process id that another program got in the meantime is not taken for it. */
export async function runningServer(folder: string, name: string): Promise<JavaProcess | null> {
  try {
    const { pid } = JSON.parse(await readFile(notePath(folder, name), "utf8")) as { pid: number };
    const commandLine = await readFile(`/proc/${pid}/cmdline`, "utf8");
    return commandLine.includes(marker(folder, name))
      ? { name, pid, output: join(folder, `${name}.out`) }
      : null;
  } catch (error) {
    if (["ENOENT", "ESRCH"].includes(codeOf(error) ?? "")) return null;
    throw error;
  }
}

/** Ends a server: SIGTERM, and SIGKILL when it does not end in time. Nothing happens when it does not run. */
export async function stopJava(
  folder: string,
  name: string,
  signal: "SIGTERM" | "SIGKILL" = "SIGTERM",
): Promise<void> {
  const server = await runningServer(folder, name);
  if (server !== null) {
    process.kill(server.pid, signal);
    const deadline = Date.now() + STOP_MS;
    while ((await runningServer(folder, name)) !== null) {
      if (Date.now() > deadline) process.kill(server.pid, "SIGKILL");
      await Bun.sleep(LOOK_MS);
    }
    // Its command line vanishes before its ports and files are free.
    while (!(await hasEnded(server.pid)) && Date.now() < deadline + STOP_MS) await Bun.sleep(LOOK_MS);
  }
  await rm(notePath(folder, name), { force: true });
}

/**
 * Waits until a server answers.
 *
 * @param answers rejects or says false while it does not
 * @throws IsobarError `not_ready` with the end of its output when it ended or the deadline passed
 */
export async function untilReady(
  server: JavaProcess,
  folder: string,
  answers: () => Promise<boolean>,
  deadlineMs = 90_000,
): Promise<void> {
  const deadline = Date.now() + deadlineMs;
  for (;;) {
    if (await answers().catch(() => false)) return;
    const gone = (await runningServer(folder, server.name)) === null;
    if (gone || Date.now() > deadline) {
      const tail = (await readFile(server.output, "utf8")).slice(-3000);
      throw new IsobarError(
        "not_ready",
        `${server.name} ${gone ? "ended" : `did not answer within ${deadlineMs / 1000} s`}; its output ends with:\n${tail}`,
      );
    }
    await Bun.sleep(LOOK_MS);
  }
}

/** Whether a process has ended with all its threads, or is a zombie of which only the exit code is left. */
async function hasEnded(pid: number): Promise<boolean> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    // proc_pid_stat(5): the third field is the state, the twentieth the number of threads.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return /^[ZX]/.test(fields[0] ?? "") && Number(fields[17]) <= 1;
  } catch (error) {
    if (["ENOENT", "ESRCH"].includes(codeOf(error) ?? "")) return true;
    throw error;
  }
}

/** A JVM property that identifies this server's process. */
function marker(folder: string, name: string): string {
  return `-Disobar.server=${folder}/${name}`;
}

function notePath(folder: string, name: string): string {
  return join(folder, `${name}.json`);
}
