import type { Chain } from "../../jobs/commits/writer.ts";
import { ModelLake, type Answer, type Operation } from "./model-lake.ts";

/** The partition all actors work on. */
export const TOPIC = "t";
export const PARTITION = 0;
/** Every actor's clock stands still here, so that a grace of 0 is over at once. */
export const NOW = Date.UTC(2026, 0, 1, 12);

/** What an actor's code is given. */
export interface Stage {
  chain: Chain;
  /** Any number below `options`: the explorer tries each. */
  choose(options: number): Promise<number>;
  /** Says that every offset below `next` is committed; the explorer checks it from then on. */
  committed(next: number): void;
}

/**
 * What counts as a step of its own, and so what can happen in between: `operations`, each file of a put or delete
 * separately; `folds`, where an entry is read together with the operation before; `reads`, where every read and list of
 * data files is; `acts`, where puts and deletes are as well. Coarser grains lose orders, and make more actors possible.
 */
export type Grain = "operations" | "folds" | "reads" | "acts";

/** Whether an operation is taken together with the one before it. */
export function isJoined(grain: Grain, operation: Operation): boolean {
  switch (operation.kind) {
    case "read":
      return grain !== "operations" && (grain !== "folds" || operation.path.startsWith("commits/"));
    case "list":
      return (grain === "reads" || grain === "acts") && !operation.folder.startsWith("commits/");
    case "put":
    case "delete":
      return grain === "acts";
    default:
      return false;
  }
}

/** One process of the model: real code, stopped at each of its operations. */
export interface Actor {
  /** Lower case letters and digits: part of its ids. */
  name: string;
  /** Must ask for one operation at a time, and depend on nothing but its stage and the answers. */
  run(stage: Stage): Promise<void>;
  /** How often it may be started: again after a crash, a fence or a lost request, each time with nothing in memory. Default 1. */
  lives?: number;
  /** Which operations are taken together with the one before them. Default `folds`. */
  grain?: Grain;
}

/** How an actor ended; `error` is what it threw. */
export interface End {
  error?: unknown;
}

/**
 * What an actor knows: the answers it got since it was started. Its code is deterministic, so the same answers always
 * lead to the same next operation, and the real code runs only once for each history.
 */
export class Situation {
  readonly id: number;
  /** What it waits for; undefined when it has ended. */
  operation: Operation | undefined;
  end: End | undefined;
  /** The most it ever called committed. */
  committed = 0;

  readonly #tree: Tree;
  readonly #history: readonly Answer[];
  readonly #following = new Map<string, Situation>();
  /** The run that led here, until it has gone on to the first following situation. */
  #run: Run | undefined;

  private constructor(tree: Tree, history: readonly Answer[], run: Run) {
    this.#tree = tree;
    this.#history = history;
    this.#run = run;
    this.id = tree.count.situations++;
    this.operation = run.operation;
    this.end = run.end;
    this.committed = run.committed;
  }

  /** An actor's first situation. @param life 0 for its first start */
  static async first(actor: Actor, life: number, count: { situations: number }): Promise<Situation> {
    const tree = { actor, life, count };
    return new Situation(tree, [], await Run.replay(tree, []));
  }

  /** The situation after an answer. */
  async after(answer: Answer): Promise<Situation> {
    const key = "value" in answer ? `=${answer.value}` : answer.code;
    let next = this.#following.get(key);
    if (next === undefined) {
      const history = [...this.#history, answer];
      let run = this.#run;
      this.#run = undefined;
      if (run === undefined) run = await Run.replay(this.#tree, history);
      else await run.goOn(answer);
      next = new Situation(this.#tree, history, run);
      this.#following.set(key, next);
    }
    return next;
  }
}

interface Tree {
  actor: Actor;
  life: number;
  count: { situations: number };
}

/** One execution of an actor's code. */
class Run {
  operation: Operation | undefined;
  end: End | undefined;
  committed = 0;
  #answers: Answer[];
  #waiting: ((answer: Answer) => void) | undefined;
  #stopped = Promise.withResolvers<void>();

  private constructor(history: readonly Answer[]) {
    this.#answers = [...history];
  }

  /** Runs an actor's code over the answers of a history, up to the operation that follows. */
  static async replay({ actor, life }: Tree, history: readonly Answer[]): Promise<Run> {
    const run = new Run(history);
    let ids = 0;
    const chain: Chain = {
      lake: new ModelLake((operation) => run.#perform(operation)),
      topic: TOPIC,
      partition: PARTITION,
      newId: () => `${actor.name}x${life}x${ids++}`,
      now: () => NOW,
    };
    const stage: Stage = {
      chain,
      async choose(options) {
        const answer = await run.#perform({ kind: "choose", options });
        return "value" in answer ? Number(answer.value) : 0;
      },
      committed: (next) => (run.committed = Math.max(run.committed, next)),
    };
    const stopped = run.#stopped.promise;
    void actor.run(stage).then(
      () => run.#finish({}),
      (error: unknown) => run.#finish({ error }),
    );
    await stopped;
    return run;
  }

  /** Answers the operation it stopped at and runs up to the next one. */
  async goOn(answer: Answer): Promise<void> {
    const waiting = this.#waiting;
    if (waiting === undefined) throw new Error("an actor that has ended got an answer");
    this.#waiting = undefined;
    this.operation = undefined;
    const { promise } = (this.#stopped = Promise.withResolvers<void>());
    waiting(answer);
    await promise;
  }

  #perform(operation: Operation): Promise<Answer> {
    const answer = this.#answers.shift();
    if (answer !== undefined) return Promise.resolve(answer);
    if (this.#waiting !== undefined) throw new Error("an actor asked for two operations at a time");
    this.operation = operation;
    return new Promise((resolve) => {
      this.#waiting = resolve;
      this.#stopped.resolve();
    });
  }

  #finish(end: End): void {
    this.operation = undefined;
    this.end = end;
    this.#stopped.resolve();
  }
}
