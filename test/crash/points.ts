import { writeSync } from "node:fs";

/** The points of a process at which it may kill itself with SIGKILL: each is what comes next and how often it came. */
export class Points {
  readonly #end: string;
  readonly #counts = new Map<string, number>();
  readonly #passed: string[] = [];
  #last: Promise<unknown> = Promise.resolve();

  /** @param end where the process ends: `rename 3`; empty for one that comes to its own end */
  constructor(end: string) {
    this.#end = end;
  }

  /** Whether the process is to end here. */
  isHere(what: string): boolean {
    const count = (this.#counts.get(what) ?? 0) + 1;
    this.#counts.set(what, count);
    const name = `${what} ${count}`;
    this.#passed.push(name);
    return name === this.#end;
  }

  /** Ends the process where it is to end. */
  step(what: string): void {
    if (this.isHere(what)) this.die();
  }

  die(): void {
    process.kill(process.pid, "SIGKILL");
  }

  /** Runs operations one after the other: so a point at the beginning of one is also the one after the last. */
  inOrder<T>(operation: () => Promise<T>): Promise<T> {
    const result = this.#last.then(operation);
    this.#last = result.catch(() => {}); // its caller sees it
    return result;
  }

  /** Tells the test by a line that a call of `append` was acknowledged. */
  acknowledged(): void {
    writeSync(1, "acknowledged\n");
  }

  /** Tells the test by a line which points there were, and ends the process in good order. */
  finish(): never {
    writeSync(1, `points ${JSON.stringify(this.#passed)}\n`);
    process.exit(0);
  }
}

/** What a process with {@link Points} told until it ended. */
export interface Told {
  killed: boolean;
  /** What it wrote to its error output. */
  errors: string;
  /** How many calls of `append` were acknowledged. */
  acknowledged: number;
  /** Every point, in order; null where it did not come to its own end. */
  points: string[] | null;
}

/** Runs a script with {@link Points} to its end, or to the point where it is killed. */
export async function runToPoint(script: string, args: readonly string[]): Promise<Told> {
  const child = Bun.spawn([process.execPath, script, ...args], { stdout: "pipe", stderr: "pipe" });
  const [told, errors] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  const lines = told.split("\n");
  const points = lines.find((line) => line.startsWith("points "));
  return {
    killed: child.signalCode === "SIGKILL",
    errors,
    acknowledged: lines.filter((line) => line === "acknowledged").length,
    points: points === undefined ? null : (JSON.parse(points.slice("points ".length)) as string[]),
  };
}
