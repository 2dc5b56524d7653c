import type { Lake, LakeEntry, NewFile } from "./lake.ts";

/** A lake that must be made ready before its first use. While `ready` rejects, every call rejects with the same error. */
export class LateLake implements Lake {
  readonly kind: string;
  readonly #lake: Lake;
  readonly #ready: () => Promise<void>;

  /** @param ready awaited before each call; after a failure it may try again */
  constructor(lake: Lake, ready: () => Promise<void>) {
    this.kind = lake.kind;
    this.#lake = lake;
    this.#ready = ready;
  }

  async put(files: readonly NewFile[]): Promise<void> {
    await this.#ready();
    return this.#lake.put(files);
  }

  async create(path: string, bytes: Uint8Array): Promise<void> {
    await this.#ready();
    return this.#lake.create(path, bytes);
  }

  async read(path: string): Promise<Uint8Array> {
    await this.#ready();
    return this.#lake.read(path);
  }

  async list(folder: string): Promise<LakeEntry[]> {
    await this.#ready();
    return this.#lake.list(folder);
  }

  async delete(paths: readonly string[]): Promise<void> {
    await this.#ready();
    return this.#lake.delete(paths);
  }

  locate(path: string): string {
    return this.#lake.locate(path);
  }
}
