import { existsSync } from "node:fs";
import type { Table } from "apache-arrow";
import { EngineError, messageOf } from "../../core/errors.ts";
import type {
  JudgingInput,
  QueryOptions,
  Snapshot,
  SnapshotFile,
  WritingEngine,
  RowsFile,
} from "../../spark/engine.ts";
import { FileCache, type UsedFile } from "./file-cache.ts";
import type { Lake } from "./lake.ts";
import { inParallel } from "./parallel.ts";

/** Files fetched at once by a query. */
const PARALLEL = 8;

/** Options of {@link cachedEngine}. */
export interface CachedEngineOptions {
  /** The engine, which reads local files only. It must be allowed to read `folder`. */
  engine: WritingEngine;
  /** The lake with the files of the snapshots. */
  lake: Lake;
  /** Absolute; processes may share it. */
  folder: string;
  /** Size limit of the folder, bytes. Concurrent queries may exceed it while they run. */
  maxBytes: number;
}

/**
 * An engine over a lake that it cannot read itself. The committed files of a snapshot are first copied into a local folder of
 * bounded size. Each is copied once, because it never changes. Local files are used directly.
 *
 * It rejects with EngineError `unavailable` when a file cannot be fetched (its cause tells whether it is missing), and
 * `out_of_memory` when one query alone needs more than the folder may hold.
 */
export function cachedEngine(options: CachedEngineOptions): WritingEngine {
  return new CachedEngine(options);
}

class CachedEngine implements WritingEngine {
  readonly #engine: WritingEngine;
  readonly #lake: Lake;
  readonly #folder: string;
  readonly #maxBytes: number;
  /** Common prefix of all locations in the lake. */
  readonly #prefix: string;
  #cache: Promise<FileCache> | undefined;
  readonly #closing = new AbortController();
  readonly #running = new Set<Promise<unknown>>();

  constructor({ engine, lake, folder, maxBytes }: CachedEngineOptions) {
    this.#engine = engine;
    this.#lake = lake;
    this.#folder = folder;
    this.#maxBytes = maxBytes;
    this.#prefix = lake.locate("x").slice(0, -1);
  }

  get name(): string {
    return this.#engine.name;
  }

  query(sql: string, options: QueryOptions): Promise<Table> {
    const { snapshot, judged = { files: [] } } = options;
    return this.#with([snapshot, judged], options.signal, ([snapshot, judged]) =>
      this.#engine.query(sql, { ...options, snapshot: snapshot!, judged: judged! }),
    );
  }

  compact(snapshot: Snapshot, signal?: AbortSignal): Promise<RowsFile> {
    return this.#with([snapshot], signal, ([local]) => this.#engine.compact(local!, signal));
  }

  judge(parts: readonly Snapshot[], judging: JudgingInput, signal?: AbortSignal): Promise<RowsFile[]> {
    return this.#with([judging.around, judging.before, ...parts], signal, ([around, before, ...local]) =>
      this.#engine.judge(local, { ...judging, around: around!, before: before! }, signal),
    );
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#engine.close();
    await Promise.allSettled(this.#running);
  }

  /** Runs `action` over copies of the files, which are not evicted while it runs. */
  #with<T>(
    snapshots: readonly Snapshot[],
    signal: AbortSignal | undefined,
    action: (local: Snapshot[]) => Promise<T>,
  ): Promise<T> {
    const closing = this.#closing.signal;
    const stop = signal === undefined ? closing : AbortSignal.any([signal, closing]);
    const run = async (again: boolean): Promise<T> => {
      const used: UsedFile[] = [];
      try {
        // Together, so that a file of several of them is fetched once.
        const local = await this.#bring(
          snapshots.flatMap(({ files }) => files),
          used,
          stop,
        );
        return await action(snapshots.map(({ files }) => ({ files: local.splice(0, files.length) })));
      } catch (error) {
        // Another process may have evicted a copy.
        if (again || stop.aborted || used.every(({ path }) => existsSync(path))) throw error;
      } finally {
        for (const file of used) file.release();
      }
      return run(true);
    };
    const running = run(false);
    this.#running.add(running);
    const ended = () => void this.#running.delete(running);
    running.then(ended, ended);
    return running;
  }

  async #bring(files: readonly SnapshotFile[], used: UsedFile[], stop: AbortSignal): Promise<SnapshotFile[]> {
    const local = [...files];
    let bytes = 0;
    const counted = new Set<string>();
    await inParallel([...files.keys()], PARALLEL, async (index) => {
      const file = files[index]!;
      if (!file.location.startsWith(this.#prefix)) return;
      if (stop.aborted) throw new EngineError("cancelled", "The query was cancelled");
      const copy = await this.#fetch(file.location, stop);
      used.push(copy);
      if (!counted.has(copy.path)) bytes += copy.bytes;
      counted.add(copy.path);
      if (bytes > this.#maxBytes) {
        throw new EngineError(
          "out_of_memory",
          `Cannot run the query: its files need more than the ${this.#maxBytes} bytes that the copies of the lake's files may take`,
          { hint: "Raise CACHE_MEGABYTES, or ask for a shorter time." },
        );
      }
      local[index] = { ...file, location: copy.path };
    });
    return local;
  }

  /** Opens the cache at its first use. After a failure the next use tries again. */
  #open(): Promise<FileCache> {
    this.#cache ??= FileCache.open(this.#folder, this.#maxBytes).catch((error: unknown) => {
      this.#cache = undefined;
      throw error;
    });
    return this.#cache;
  }

  /** Fetches a copy of a file. If this caller aborts, other waiting callers still get the copy. */
  async #fetch(location: string, stop: AbortSignal): Promise<UsedFile> {
    const path = location.slice(this.#prefix.length);
    const using = this.#open().then((cache) => cache.use(location, () => this.#lake.read(path)));
    const given = Promise.withResolvers<never>();
    const giveUp = () => given.reject(new EngineError("cancelled", "The query was cancelled"));
    stop.addEventListener("abort", giveUp, { once: true });
    try {
      return await Promise.race([using, given.promise]);
    } catch (error) {
      // The fetch goes on for others: release our use when it is done.
      if (stop.aborted) using.then(({ release }) => release()).catch(() => {});
      if (error instanceof EngineError) throw error;
      throw new EngineError("unavailable", `Cannot read the files: ${messageOf(error)}`, { cause: error });
    } finally {
      stop.removeEventListener("abort", giveUp);
    }
  }
}
