import type { FileStatus } from "webhdfs";
import type { Clock } from "../../core/clock.ts";
import type { Logger } from "../../core/log.ts";
import { backoffMs } from "../../core/retry.ts";
import { WebHdfsError } from "./webhdfs-error.ts";
import { PackageClient, type Credentials } from "./webhdfs-package.ts";
import { RestClient, transferMs } from "./webhdfs-rest.ts";

/** How {@link WebHdfs.rename} ended. */
export type Renamed =
  | { state: "renamed" }
  /** `exists` and `missing`: it surely was not renamed. `unclear`: an answer was lost, or said nothing about the first try. */
  | { state: "exists" | "missing" | "unclear"; failure: WebHdfsError };

const BACKOFF = { baseMs: 100, maxMs: 2_000 };
/** Longest wait for the answer of a small request, ms; data gets more by {@link transferMs}. */
const REQUEST_MS = 10_000;
/** Time of the first try even when the time is up, ms: else a deadline that has just passed looks like a lost answer. */
const LEAST_MS = 1_000;
/** How long a DataNode that failed is avoided, ms. The NameNode itself notices only after ten minutes. */
const AVOID_MS = 300_000;

/**
 * HDFS over its REST API: each call is tried until its deadline, at whichever NameNode is active, and around DataNodes
 * that do not answer. All but {@link rename} may safely happen twice.
 */
export class WebHdfs {
  readonly #nameNodes: readonly URL[];
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #package: PackageClient;
  readonly #rest: RestClient;
  #active = 0;
  /** DataNodes to avoid, as redirects name them, and as `excludedatanodes` wants them. */
  readonly #avoided = new Map<string, { node: string; until: number }>();

  /** @param options.nameNodes addresses with the path of the REST API: `http://host:9870/webhdfs/v1` */
  constructor(options: { nameNodes: readonly URL[]; clock: Clock; logger: Logger } & Credentials) {
    this.#nameNodes = options.nameNodes;
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#package = new PackageClient(options);
    this.#rest = new RestClient(options);
  }

  /** Makes a folder and its parents. */
  mkdir(path: string, until: number): Promise<void> {
    return this.#try(until, REQUEST_MS, (nameNode, signal) => this.#package.mkdir(nameNode, path, signal));
  }

  /** Deletes a file or an empty folder; one that is gone is fine. */
  unlink(path: string, until: number): Promise<void> {
    return this.#try(until, REQUEST_MS, (nameNode, signal) => this.#package.unlink(nameNode, path, signal));
  }

  /** What is known of a file. */
  stat(path: string, until: number): Promise<FileStatus> {
    return this.#try(until, REQUEST_MS, (nameNode, signal) => this.#package.stat(nameNode, path, signal));
  }

  /** Every entry of a folder of any size. */
  async list(path: string, until: number): Promise<FileStatus[]> {
    const found: FileStatus[] = [];
    for (;;) {
      const after = found.at(-1)?.pathSuffix ?? "";
      const page = await this.#try(until, REQUEST_MS, (nameNode, signal) =>
        this.#rest.list(nameNode, path, after, signal),
      );
      found.push(...page.entries);
      if (page.remaining === 0 || page.entries.length === 0) return found;
    }
  }

  /** Reads a whole file; it has the length that the NameNode tells. */
  async read(path: string, until: number): Promise<Uint8Array> {
    const { length } = await this.stat(path, until);
    const extra = transferMs(length);
    return this.#try(until + extra, REQUEST_MS + extra, async (nameNode, signal) => {
      const bytes = await this.#rest.open(nameNode, path, this.#exclude(), signal);
      if (bytes.length === length) return bytes;
      throw new WebHdfsError(`it ended after ${bytes.length} of ${length} bytes`, { status: 200 });
    });
  }

  /**
   * Writes a file under a new name for each try, so that a late request of an earlier one touches nothing.
   *
   * @param newPath makes such a name
   * @returns the name of the one that is whole
   */
  write(newPath: () => string, bytes: Uint8Array, until: number): Promise<string> {
    const timeoutMs = REQUEST_MS + transferMs(bytes.length);
    return this.#try(until, timeoutMs, async (nameNode, signal) => {
      const path = newPath();
      await this.#rest.create(nameNode, path, bytes, this.#exclude(), signal);
      let length = -1;
      try {
        ({ length } = await this.#package.stat(nameNode, path, signal));
      } catch (error) {
        if (!(error instanceof WebHdfsError && error.missing)) throw error;
      }
      if (length === bytes.length) return path;
      throw new WebHdfsError(
        length < 0
          ? "it was not there after it was written"
          : `${length} of ${bytes.length} bytes were written`,
        { status: 200 },
      );
    });
  }

  /** Renames a file to a name that must be free. */
  async rename(from: string, to: string, until: number): Promise<Renamed> {
    let lost = false;
    try {
      await this.#try(until, REQUEST_MS, async (nameNode, signal) => {
        try {
          await this.#rest.rename(nameNode, from, to, signal);
        } catch (error) {
          lost ||= !(error instanceof WebHdfsError && error.harmless);
          throw error;
        }
      });
      return { state: "renamed" };
    } catch (error) {
      if (!(error instanceof WebHdfsError)) throw error;
      if (lost) return { state: "unclear", failure: error };
      if (error.exception === "FileAlreadyExistsException") return { state: "exists", failure: error };
      if (error.missing) return { state: "missing", failure: error };
      throw error;
    }
  }

  /**
   * Runs `action` until it succeeds, fails for good, or the time is up.
   *
   * @param until when the time is up, ms since the epoch
   * @param timeoutMs longest time of one try
   * @throws WebHdfsError of the last try
   */
  async #try<T>(
    until: number,
    timeoutMs: number,
    action: (nameNode: URL, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      const active = this.#active;
      const nameNode = this.#nameNodes[active]!;
      try {
        const left = Math.max(LEAST_MS, until - this.#clock.now());
        return await this.#timed(Math.min(timeoutMs, left), (signal) => action(nameNode, signal));
      } catch (error) {
        if (!(error instanceof WebHdfsError) || !error.retriable) throw error;
        await this.#learn(nameNode, active, error);
        // Every NameNode is asked once before the first wait.
        const wait = attempt + 1 < this.#nameNodes.length ? 0 : backoffMs(attempt, BACKOFF);
        if (this.#clock.now() + wait >= until) throw error;
        await this.#clock.sleep(wait);
      }
    }
  }

  /** Runs `action` with a signal that ends what is left of it, after so long or when it settles. */
  async #timed<T>(ms: number, action: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const requests = new AbortController();
    const timer = new AbortController();
    void this.#clock.sleep(ms, timer.signal).then(() => requests.abort());
    try {
      return await action(requests.signal);
    } finally {
      timer.abort();
      requests.abort();
    }
  }

  /** Turns to another NameNode, or from a DataNode, after a failure that was theirs. */
  async #learn(nameNode: URL, active: number, error: WebHdfsError): Promise<void> {
    if (error.unreachable && this.#nameNodes.length > 1 && this.#active === active) {
      this.#active = (active + 1) % this.#nameNodes.length;
      this.#logger.warn("another NameNode is asked", {
        from: nameNode.host,
        to: this.#nameNodes[this.#active]!.host,
        reason: error.message,
      });
    }
    const broken = error.brokenDataNode;
    if (broken !== null && !this.#avoided.has(broken)) {
      const node = await this.#timed(REQUEST_MS, (signal) =>
        this.#rest.dataAddress(nameNode, broken, signal),
      );
      this.#avoided.set(broken, { node, until: this.#clock.now() + AVOID_MS });
      this.#logger.warn("an HDFS DataNode is avoided", { node: broken, reason: error.message });
    } else if (error.exception === "IOException" && error.dataNode === null) {
      // With every holder of a block left out, the NameNode has nobody to name.
      this.#avoided.clear();
    }
  }

  #exclude(): string {
    const now = this.#clock.now();
    for (const [name, { until }] of this.#avoided) if (until <= now) this.#avoided.delete(name);
    return [...this.#avoided.values()].map(({ node }) => node).join(",");
  }
}
