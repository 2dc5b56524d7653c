import { sha256Hex } from "../../core/checksum.ts";
import { codeOf, messageOf } from "../../core/errors.ts";
import type { Entry, Retraction } from "../../jobs/commits/entry.ts";
import { fold, type LiveFile } from "../../jobs/commits/fold.ts";
import { offsetsOf } from "../../jobs/commits/names.ts";
import { rowsAround } from "./actors.ts";
import { isJoined, PARTITION, Situation, TOPIC, type Actor } from "./actor.ts";
import { LakeContent, lakeAtRest, Numbering, type Answer, type Operation } from "./model-lake.ts";

/** What to explore. Everything that is not said to be bounded is tried in every order. */
export interface Scenario {
  actors: Actor[];
  /** Offsets in the log: once all actors have ended undisturbed, all of them must be committed. */
  offsets: number;
  /** How many actors may stop for ever, at any point; each may then start anew while it has lives. */
  crashes?: number;
  /** How many creates may be answered `unclear` though they were done, or refused. */
  lostAnswers?: number;
  /** How many requests may time out and be done at any later time, or never. */
  lateRequests?: number;
  /**
   * How often an actor that could go on may be left for another; any number by default. What a crash, an end or a late
   * request changes costs nothing. This is what bounds the scenarios of many actors.
   */
  switches?: number;
  /** Stops the search with an error beyond this many states: a scenario is meant to be explored whole. Default 400,000. */
  maxStates?: number;
}

/** What an exploration found. */
export interface Exploration {
  /** Different states seen. */
  states: number;
  /** Different situations of single actors: how often the real code ran on. */
  situations: number;
  /** States in which every offset is committed: none would mean that nothing was tested. */
  complete: number;
  /** The first rule broken, with one of the shortest ways there. */
  violation?: { message: string; trace: string[] };
}

interface ActorState {
  /** Undefined when it has ended for good. */
  situation: Situation | undefined;
  life: number;
  /** How many files of the put or delete it waits for are done. */
  done: number;
}

interface State {
  lake: LakeContent;
  actors: readonly ActorState[];
  /** Requests that timed out and may still be done. */
  late: readonly Operation[];
  crashes: number;
  lostAnswers: number;
  lateRequests: number;
  switches: number;
  /** The actor that acted last, while it can go on. */
  acting: number | undefined;
  /** First offset not committed, as a fresh fold sees it. */
  next: number;
  before: State | undefined;
  /** What led here, in words. */
  step: () => string;
}

/**
 * Tries every order in which the actors' operations can happen, breadth first, with the disturbances allowed. A state is
 * the lake's content, what each actor knows and the requests under way; equal states are explored once.
 */
export async function explore(scenario: Scenario): Promise<Exploration> {
  return await new Explorer(scenario).run();
}

class Explorer {
  readonly #scenario: Scenario;
  readonly #numbering = new Numbering();
  readonly #count = { situations: 0 };
  readonly #firsts: Situation[][] = [];
  readonly #lakes = new Map<string, { next: number; problem: string | undefined }>();
  readonly #chains = new Map<string, Promise<Folded>>();
  /** States, each with the most switches that were left. */
  readonly #seen = new Map<string, number>();
  readonly #queue: State[] = [];
  #complete = 0;
  #violation: { message: string; trace: string[] } | undefined;

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
  }

  async run(): Promise<Exploration> {
    const { actors, crashes = 0, lostAnswers = 0, lateRequests = 0 } = this.#scenario;
    const { switches = Infinity, maxStates = 400_000 } = this.#scenario;
    for (const actor of actors) {
      const firsts: Situation[] = [];
      for (let life = 0; life < (actor.lives ?? 1); life++)
        firsts.push(await Situation.first(actor, life, this.#count));
      this.#firsts.push(firsts);
    }
    await this.#add({
      lake: new LakeContent(this.#numbering),
      actors: this.#firsts.map((firsts) => ({ situation: firsts[0], life: 0, done: 0 })),
      late: [],
      crashes,
      lostAnswers,
      lateRequests,
      switches,
      acting: undefined,
      next: 0,
      before: undefined,
      step: () => "",
    });
    for (let head = 0; head < this.#queue.length && this.#violation === undefined; head++) {
      await this.#expand(this.#queue[head]!);
      if (this.#seen.size > maxStates) throw new Error(`more than ${maxStates} states: bound the scenario`);
    }
    return {
      states: this.#seen.size,
      situations: this.#count.situations,
      complete: this.#complete,
      ...(this.#violation === undefined ? {} : { violation: this.#violation }),
    };
  }

  async #expand(state: State): Promise<void> {
    for (let index = 0; index < state.actors.length; index++) {
      const { situation, done } = state.actors[index]!;
      const operation = situation?.operation;
      if (operation === undefined) continue;
      const switches =
        state.acting === undefined || state.acting === index ? state.switches : state.switches - 1;
      if (switches >= 0) await this.#perform({ ...state, switches, acting: index }, state, operation, done);
      if (state.crashes > 0 && !this.#isFirst(state, index)) {
        const actors = replaced(state.actors, index, this.#restarted(index, state.actors[index]!.life));
        await this.#add({
          ...state,
          actors,
          crashes: state.crashes - 1,
          acting: state.acting === index ? undefined : state.acting,
          before: state,
          step: () => this.#says(index, "CRASHES"),
        });
      }
    }
    for (const operation of state.late) {
      const late = state.late.filter((other) => other !== operation);
      await this.#add({
        ...state,
        late,
        lake: effect(state.lake, operation),
        before: state,
        step: () => `late: ${describe(operation)} is done`,
      });
    }
  }

  /** Everything that may become of the operation of the actor that acts. */
  async #perform(state: State, before: State, operation: Operation, done: number): Promise<void> {
    const index = state.acting!;
    const go = (answer: Answer, change: Partial<State>, outcome = "") =>
      this.#goOn(
        { ...state, ...change, before, step: () => this.#says(index, describe(operation) + outcome) },
        index,
        answer,
      );
    switch (operation.kind) {
      case "list":
      case "read": {
        const answer = state.lake.look(operation);
        return await go(answer, {}, "code" in answer ? `: ${answer.code}` : "");
      }
      case "choose":
        for (let choice = 0; choice < operation.options; choice++)
          await go({ value: String(choice) }, {}, `: ${choice}`);
        return;
      case "create": {
        const taken = state.lake.has(operation.path);
        const lake = effect(state.lake, operation);
        await go(taken ? { code: "exists" } : { value: "" }, { lake }, taken ? ": exists" : "");
        if (state.lostAnswers > 0) {
          const change = { lake, lostAnswers: state.lostAnswers - 1 };
          await go({ code: "unclear" }, change, `: ${taken ? "refused" : "done"}, ANSWER LOST`);
        }
        break;
      }
      case "put":
      case "delete": {
        const one = part(operation, done, done + 1);
        const lake = effect(state.lake, one);
        if (done + 1 === size(operation)) {
          await go({ value: "" }, { lake }, size(operation) > 1 ? ": the last one" : "");
          break;
        }
        const actors = replaced(state.actors, index, { ...state.actors[index]!, done: done + 1 });
        await this.#add({
          ...state,
          lake,
          actors,
          before,
          step: () => this.#says(index, describe(one)),
        });
      }
    }
    if (state.lateRequests > 0) {
      const late = [...state.late, part(operation, done)];
      const code = operation.kind === "create" ? "unclear" : "unavailable";
      await go({ code }, { late, lateRequests: state.lateRequests - 1 }, ": TIMES OUT");
    }
  }

  /** Moves an actor on with an answer, through what is taken together with it. */
  async #goOn(state: State, index: number, answer: Answer): Promise<void> {
    const { grain = "folds" } = this.#scenario.actors[index]!;
    const { situation: from, life } = state.actors[index]!;
    let situation = await from!.after(answer);
    let { lake } = state;
    for (;;) {
      const { operation } = situation;
      if (operation === undefined || !isJoined(grain, operation)) break;
      const isLook = operation.kind === "read" || operation.kind === "list";
      lake = effect(lake, operation);
      situation = await situation.after(isLook ? lake.look(operation) : { value: "" });
    }
    const actor: ActorState = { situation, life, done: 0 };
    await this.#add({ ...state, lake, actors: replaced(state.actors, index, actor) }, index);
  }

  /** Checks a state and puts it in the queue, unless it was seen. @param moved the actor that learned something */
  async #add(state: State, moved?: number): Promise<void> {
    if (this.#violation !== undefined) return;
    const { next, problem } = await this.#inspect(state.lake);
    if (problem !== undefined) return this.#violated(problem, state);
    if (next < state.next)
      return this.#violated(`the committed range went back from ${state.next} to ${next}`, state);
    state.next = next;
    if (moved !== undefined) {
      const { situation, life } = state.actors[moved]!;
      const { name } = this.#scenario.actors[moved]!;
      if (situation!.committed > next) {
        const message = `${name} takes offset ${situation!.committed - 1} for committed, the lake ends before ${next}`;
        return this.#violated(message, state);
      }
      if (situation!.end !== undefined) {
        const { error } = situation!.end;
        // Only a request that timed out is ever `unavailable` here: the actor gives up and starts again.
        if (error !== undefined && codeOf(error) !== "fenced" && codeOf(error) !== "unavailable")
          return this.#violated(`${name} ends with: ${messageOf(error)}`, state);
        const after =
          error === undefined ? { situation: undefined, life, done: 0 } : this.#restarted(moved, life);
        state.actors = replaced(state.actors, moved, after);
        state.acting = undefined;
      }
    }
    const key = this.#key(state);
    const left = this.#seen.get(key);
    if (left !== undefined && left >= state.switches) return;
    this.#seen.set(key, state.switches);
    this.#queue.push(state);
    if (left !== undefined) return;
    if (next === this.#scenario.offsets) this.#complete++;
    else if (this.#isUndisturbed(state) && state.actors.every(({ situation }) => situation === undefined))
      this.#violated(
        `all have ended, and only ${next} of ${this.#scenario.offsets} offsets are committed`,
        state,
      );
  }

  #isUndisturbed(state: State): boolean {
    const { crashes = 0, lateRequests = 0 } = this.#scenario;
    return state.crashes === crashes && state.lateRequests === lateRequests;
  }

  #isFirst(state: State, index: number): boolean {
    const { situation, life } = state.actors[index]!;
    return situation === this.#firsts[index]![life];
  }

  #restarted(index: number, life: number): ActorState {
    const situation = this.#firsts[index]![life + 1];
    return { situation, life: situation === undefined ? life : life + 1, done: 0 };
  }

  #key(state: State): string {
    const actors = state.actors.map(({ situation, done }) =>
      situation === undefined ? "-" : `${situation.id}.${done}`,
    );
    const late = state.late.map((operation) => this.#numbering.of(JSON.stringify(operation))).sort();
    const acting = state.switches === Infinity ? "" : state.acting;
    const left = [state.crashes, state.lostAnswers, state.lateRequests, acting];
    return `${state.lake.key}|${actors.join()}|${late.join()}|${left.join()}`;
  }

  #says(index: number, what: string): string {
    return `${this.#scenario.actors[index]!.name}: ${what}`;
  }

  #violated(message: string, state: State): void {
    const trace: string[] = [];
    for (let at: State | undefined = state; at?.before !== undefined; at = at.before)
      trace.unshift(at.step());
    this.#violation ??= { message, trace };
  }

  /** What a fresh reader finds in a lake: the real fold, and the content of every live file. */
  async #inspect(lake: LakeContent): Promise<{ next: number; problem: string | undefined }> {
    let found = this.#lakes.get(lake.key);
    if (found === undefined) this.#lakes.set(lake.key, (found = await this.#inspectAnew(lake)));
    return found;
  }

  async #inspectAnew(lake: LakeContent): Promise<{ next: number; problem: string | undefined }> {
    const chain = lake.below("commits");
    let folded = this.#chains.get(chain.key);
    if (folded === undefined) this.#chains.set(chain.key, (folded = foldChain(chain)));
    const { start, next, live, rows, retractions, problem } = await folded;
    if (problem !== undefined) return { next, problem };
    const times = new Map<number, number>();
    for (const file of live) {
      const text = lake.textOf(file.path);
      if (text === undefined) return { next, problem: `the committed file ${file.path} is gone` };
      if (sha256Hex(text) !== file.sha256) return { next, problem: `${file.path} has another content` };
      const { first } = offsetsOf(file.path);
      const before = retractions.filter((retraction) => retraction.next <= first).length;
      if (file.path.endsWith(".jsonl") && file.revisions !== before) {
        const problem = `offset ${first} was joined knowing ${file.revisions} retractions, ${before} were made before`;
        return { next, problem };
      }
      const around = `${rowsAround(live, file.path)}-${retractions.length}`;
      if (file.judged !== undefined && file.judged !== around) {
        const problem = `the flags of ${file.path} were computed from ${file.judged} rows and retractions, there are ${around}`;
        return { next, problem };
      }
      for (const line of text.split("\n").slice(0, -1))
        times.set(Number(line), (times.get(Number(line)) ?? 0) + 1);
    }
    for (let offset = start; offset < next; offset++) {
      const count = times.get(offset) ?? 0;
      if (count !== 1) return { next, problem: `offset ${offset} is committed ${count} times` };
    }
    if (times.size !== next - start || rows !== next - start)
      return {
        next,
        problem: `the lake holds ${times.size} offsets, counts ${rows}, and ends before ${next}`,
      };
    return { next, problem: undefined };
  }
}

interface Folded {
  start: number;
  next: number;
  live: Pick<LiveFile, "path" | "rows" | "sha256" | "revisions" | "judged">[];
  rows: number;
  retractions: readonly Retraction[];
  problem: string | undefined;
}

async function foldChain(chain: LakeContent): Promise<Folded> {
  try {
    const state = await fold(lakeAtRest(chain), TOPIC, PARTITION);
    const live = [...state.live.values()];
    const { next, counts, retractions } = state;
    return { start: 0, next: next ?? 0, live, rows: counts.rows, retractions, problem: undefined };
  } catch (error) {
    return {
      start: 0,
      next: 0,
      live: [],
      rows: 0,
      retractions: [],
      problem: `a fresh reader fails: ${messageOf(error)}`,
    };
  }
}

function replaced<T>(items: readonly T[], index: number, item: T): readonly T[] {
  return items.map((other, at) => (at === index ? item : other));
}

/** What an operation does to a lake, all of it at once; a create of a taken name does nothing. */
function effect(lake: LakeContent, operation: Operation): LakeContent {
  switch (operation.kind) {
    case "create":
      return lake.has(operation.path) ? lake : lake.with(operation.path, operation.text);
    case "put":
      return operation.files.reduce((after, { path, text }) => after.with(path, text), lake);
    case "delete":
      return lake.without(operation.paths);
    default:
      return lake;
  }
}

/** How many files a put or delete is about. */
function size(operation: Operation & { kind: "put" | "delete" }): number {
  return operation.kind === "put" ? operation.files.length : operation.paths.length;
}

/** A part of a put's or delete's files; any other operation whole. */
function part(operation: Operation, from: number, to?: number): Operation {
  if (operation.kind === "put") return { kind: "put", files: operation.files.slice(from, to) };
  if (operation.kind === "delete") return { kind: "delete", paths: operation.paths.slice(from, to) };
  return operation;
}

function describe(operation: Operation): string {
  switch (operation.kind) {
    case "list":
      return `list ${operation.folder}`;
    case "read":
      return `read ${operation.path}`;
    case "create":
      return `create ${operation.path} (${describeEntry(JSON.parse(operation.text) as Entry)})`;
    case "put":
      return `put ${operation.files.map(({ path }) => path).join(", ")}`;
    case "delete":
      return `delete ${operation.paths.join(", ")}`;
    case "choose":
      return "chooses";
  }
}

function describeEntry(entry: Entry): string {
  switch (entry.kind) {
    case "claim":
      return "claim";
    case "batch":
      return `batch ${entry.first}–${entry.last}`;
    case "compaction":
      return `compaction of ${entry.inputs.length} files`;
    case "retraction":
      return `retraction ${entry.first}–${entry.last}`;
    case "checkpoint":
      return `checkpoint, next ${entry.next}`;
  }
}
