import { LakeError } from "../../core/errors.ts";
import { checkPath, type Lake, type LakeEntry, type NewFile } from "../../jobs/lake/lake.ts";

/** Methods of the lake that a test can make fail. */
export type LakeMethod = "put" | "create" | "read" | "list" | "delete";

/** A lake in memory, for tests: every promise of the port, and faults on demand. */
export class MemoryLake implements Lake {
  readonly kind = "memory";
  /** Everything in it by path: tests may look and damage. */
  readonly files = new Map<string, Uint8Array>();
  /**
   * Called before each effect: throw to make it fail without an effect. What `fault` returns is thrown after the effect,
   * as when the answer is lost.
   */
  fault: ((method: LakeMethod, path: string) => Error | undefined | void) | undefined;

  async put(files: readonly NewFile[]): Promise<void> {
    for (const { path, bytes } of files) {
      await this.#effect("put", path, () => void this.files.set(path, bytes.slice()));
    }
  }

  async create(path: string, bytes: Uint8Array): Promise<void> {
    await this.#effect("create", path, () => {
      if (this.files.has(path)) throw new LakeError("exists", `Cannot create ${path}: the name is taken`);
      this.files.set(path, bytes.slice());
    });
  }

  read(path: string): Promise<Uint8Array> {
    return this.#effect("read", path, () => {
      const bytes = this.files.get(path);
      if (bytes === undefined) throw new LakeError("missing", `Cannot read ${path}: there is no such file`);
      return bytes.slice();
    });
  }

  list(folder: string): Promise<LakeEntry[]> {
    return this.#effect("list", folder, () => {
      const entries = new Map<string, LakeEntry>();
      for (const path of this.files.keys()) {
        if (!path.startsWith(`${folder}/`)) continue;
        const [name = "", ...below] = path.slice(folder.length + 1).split("/");
        entries.set(name, { name, folder: below.length > 0 });
      }
      return [...entries.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    });
  }

  async delete(paths: readonly string[]): Promise<void> {
    for (const path of paths) await this.#effect("delete", path, () => void this.files.delete(path));
  }

  locate(path: string): string {
    return `memory:/${checkPath(path)}`;
  }

  async #effect<T>(method: LakeMethod, path: string, effect: () => T): Promise<T> {
    checkPath(path);
    await Promise.resolve(); // as with a real lake, nothing has happened when the call returns
    const late = this.fault?.(method, path);
    const value = effect();
    if (late instanceof Error) throw late;
    return value;
  }
}
