import { join } from "node:path";
import type { ChildOptions } from "./consumer-child.ts";

/** A line of the program's log. */
export type Line = { message: string } & Record<string, unknown>;

/** What a member of the group has. */
export interface Share {
  /** Number of the line that told it. */
  from: number;
  partitions: number[];
}

const GIVEN = "The group gave out its partitions";
const FAILED = "A job failed and is run again";
/** The message of a line that tells of a commit. */
export const COMMITTED = "batch committed";
/** Longest wait, ms: several times a session of the group. */
const DEADLINE_MS = 90_000;

/** A consumer in a process of its own, and what it says. */
export class ConsumerProcess {
  readonly #child: Bun.Subprocess<"ignore", "pipe", "inherit">;
  readonly lines: Line[] = [];

  constructor(options: ChildOptions) {
    const script = join(import.meta.dir, "consumer-child.ts");
    this.#child = Bun.spawn([process.execPath, script, JSON.stringify(options)], {
      stdin: "ignore",
      stdout: "pipe",
      stderr: "inherit",
    });
    void this.#read();
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const chunk of this.#child.stdout) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop()!;
      for (const line of lines) this.lines.push(JSON.parse(line) as Line);
    }
  }

  /** What the group gave it last; no partitions when its job failed since. */
  get share(): Share {
    const from = this.lines.findLastIndex(({ message }) => message === GIVEN || message === FAILED);
    const ours = this.lines[from]?.["ours"];
    const given = typeof ours === "string" && ours !== "none" ? ours.split(",").map(Number) : [];
    return { from, partitions: given };
  }

  /** Partitions it has committed to since a line. */
  committed(from: number): Set<number> {
    const lines = this.lines.slice(from).filter(({ message }) => message === COMMITTED);
    return new Set(lines.map(({ partition }) => Number(partition)));
  }

  signal(signal: "SIGSTOP" | "SIGCONT" | "SIGUSR2"): void {
    this.#child.kill(signal);
  }

  /** Whether the operating system has stopped it. */
  get stopped(): boolean {
    const { stdout } = Bun.spawnSync(["ps", "-o", "state=", "-p", String(this.#child.pid)]);
    return stdout.toString().startsWith("T");
  }

  /** Ends it in good order. Returns its exit code. */
  end(): Promise<number> {
    this.#child.kill("SIGTERM");
    return this.#child.exited;
  }

  /** Ends it, also when it is stopped. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.exited;
  }
}

/** Waits until something holds; tells what the consumers said when it does not within the deadline. */
export async function until(
  what: string,
  holds: () => boolean,
  consumers: readonly ConsumerProcess[],
): Promise<void> {
  for (const end = Date.now() + DEADLINE_MS; !holds(); await Bun.sleep(50)) {
    if (Date.now() < end) continue;
    const said = consumers.map(({ lines }) =>
      lines.filter(({ message }) => message !== COMMITTED).map((line) => JSON.stringify(line)),
    );
    throw new Error(`Waited in vain until ${what}:\n${said.map((lines) => lines.join("\n")).join("\n\n")}`);
  }
}
