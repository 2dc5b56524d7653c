import { LakeError } from "../../core/errors.ts";
import { checkPath, type Lake, type LakeEntry, type NewFile } from "../../jobs/lake/lake.ts";

/** One operation an actor asks for. `choose` is no operation of a lake: the explorer tries every number below `options`. */
export type Operation =
  | { kind: "list"; folder: string }
  | { kind: "read"; path: string }
  | { kind: "create"; path: string; text: string }
  | { kind: "put"; files: { path: string; text: string }[] }
  | { kind: "delete"; paths: string[] }
  | { kind: "choose"; options: number };

/** What an operation came to: its result as text (a list as JSON), or the code of the LakeError it rejects with. */
export type Answer = { value: string } | { code: "missing" | "exists" | "unclear" | "unavailable" };

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Numbers for texts, the same text always the same: makes short keys. */
export class Numbering {
  readonly #numbers = new Map<string, number>();

  of(text: string): number {
    let number = this.#numbers.get(text);
    if (number === undefined) this.#numbers.set(text, (number = this.#numbers.size));
    return number;
  }
}

interface StoredFile {
  text: string;
  /** Number of this path with this content. */
  number: number;
}

/** All that lies in a lake at one moment. Never changes: an effect makes a new one. */
export class LakeContent {
  readonly #numbering: Numbering;
  readonly #files: ReadonlyMap<string, StoredFile>;
  /** The same content has the same key, however it came about. */
  readonly key: string;

  constructor(numbering: Numbering, files: ReadonlyMap<string, StoredFile> = new Map()) {
    this.#numbering = numbering;
    this.#files = files;
    this.key = [...files.values()]
      .map(({ number }) => number)
      .sort((a, b) => a - b)
      .join();
  }

  has(path: string): boolean {
    return this.#files.has(path);
  }

  /** A file's content; undefined when there is none. */
  textOf(path: string): string | undefined {
    return this.#files.get(path)?.text;
  }

  with(path: string, text: string): LakeContent {
    const file = { text, number: this.#numbering.of(`${path}\n${text}`) };
    return new LakeContent(this.#numbering, new Map(this.#files).set(path, file));
  }

  without(paths: readonly string[]): LakeContent {
    const files = new Map(this.#files);
    for (const path of paths) files.delete(path);
    return new LakeContent(this.#numbering, files);
  }

  /** The files below a folder alone. */
  below(folder: string): LakeContent {
    const files = [...this.#files].filter(([path]) => path.startsWith(`${folder}/`));
    return new LakeContent(this.#numbering, new Map(files));
  }

  list(folder: string): LakeEntry[] {
    const names = new Map<string, LakeEntry>();
    for (const path of this.#files.keys()) {
      if (!path.startsWith(`${folder}/`)) continue;
      const [name, ...below] = path.slice(folder.length + 1).split("/");
      names.set(name!, { name: name!, folder: below.length > 0 });
    }
    return [...names.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** The answer to an operation that changes nothing. */
  look(operation: Operation & { kind: "list" | "read" }): Answer {
    if (operation.kind === "list") return { value: JSON.stringify(this.list(operation.folder)) };
    const text = this.textOf(operation.path);
    return text === undefined ? { code: "missing" } : { value: text };
  }
}

/** A lake that hands each operation to `perform`, which decides when and how it is answered. */
export class ModelLake implements Lake {
  readonly kind = "model";
  readonly #perform: (operation: Operation) => Promise<Answer>;

  constructor(perform: (operation: Operation) => Promise<Answer>) {
    this.#perform = perform;
  }

  async put(files: readonly NewFile[]): Promise<void> {
    const texts = files.map(({ path, bytes }) => ({ path: checkPath(path), text: decoder.decode(bytes) }));
    if (texts.length > 0) await this.#ask({ kind: "put", files: texts });
  }

  async create(path: string, bytes: Uint8Array): Promise<void> {
    await this.#ask({ kind: "create", path: checkPath(path), text: decoder.decode(bytes) });
  }

  async read(path: string): Promise<Uint8Array> {
    return encoder.encode(await this.#ask({ kind: "read", path: checkPath(path) }));
  }

  async list(folder: string): Promise<LakeEntry[]> {
    return JSON.parse(await this.#ask({ kind: "list", folder: checkPath(folder) })) as LakeEntry[];
  }

  async delete(paths: readonly string[]): Promise<void> {
    if (paths.length > 0) await this.#ask({ kind: "delete", paths: paths.map(checkPath) });
  }

  locate(path: string): string {
    return checkPath(path);
  }

  async #ask(operation: Operation): Promise<string> {
    const answer = await this.#perform(operation);
    if ("value" in answer) return answer.value;
    throw new LakeError(answer.code, `Cannot ${operation.kind}: ${answer.code}`);
  }
}

/** A lake at rest: it answers at once, and takes no effect. */
export function lakeAtRest(content: LakeContent): Lake {
  return new ModelLake(async (operation) => {
    if (operation.kind === "list" || operation.kind === "read") return content.look(operation);
    throw new Error(`a lake at rest was asked to ${operation.kind}`);
  });
}
