import { dirname } from "node:path";
import type { Clock } from "../../core/clock.ts";
import { LakeError } from "../../core/errors.ts";
import type { Logger } from "../../core/log.ts";
import { describe } from "../../core/observation.ts";
import { DAY_MS } from "../../core/time.ts";
import { checkPath, type Lake, type LakeEntry, type NewFile } from "./lake.ts";
import { inParallel } from "./parallel.ts";
import { lakeError, WebHdfsError } from "./webhdfs-error.ts";
import type { Credentials } from "./webhdfs-package.ts";
import { transferMs } from "./webhdfs-rest.ts";
import type { WebHdfs } from "./webhdfs.ts";

/** What a lake in HDFS is opened with. */
export interface HdfsLakeOptions extends Credentials {
  /** Addresses of the NameNodes' REST API, `http` or `https`: `http://host:9870`. Without a path, `/webhdfs/v1` is meant. */
  urls: readonly string[];
  /** The data set's own folder: `/isobar/live`. */
  root: string;
  /** The file system as engines open it: `hdfs://host:8020`. */
  hdfsUri: string;
  clock: Clock;
  logger: Logger;
  /** Longest time for a file, ms; a second more for each megabyte of it. Default: 30,000. */
  deadlineMs?: number;
}

/** Files on their way at once: a small one waits most of the time (32 files/s one by one, 80 with 8). */
const PARALLEL = 8;
const DEADLINE_MS = 30_000;
/** Time to look after a call whose answer was lost, or to clean up after it, ms. */
const SETTLE_MS = 2_000;
/** Unfinished files live here; a name that ends up in the lake is always whole. */
const TEMPORARY = ".tmp";
/** How often a file is placed anew because its folder was dropped for being empty in between. */
const TRIES = 5;

/** A lake in HDFS that may not have been asked anything yet. */
export interface HdfsLake extends Lake {
  /**
   * Makes the folder if needed, and tries whether it can be written to.
   *
   * @throws LakeError `unavailable`, `unwritable`, `full`
   */
  prepare(): Promise<void>;
}

/**
 * A folder of HDFS as a lake. Nothing is asked of HDFS, which may be away.
 *
 * Nothing is written in place: a client cut off in mid-CREATE leaves a normal, short file. A file is written under a
 * temporary name, its length is checked, and it is renamed onto a name that must be free.
 *
 * @throws LakeError `bad_path` for a root or an address it cannot use
 */
export async function hdfsLake(options: HdfsLakeOptions): Promise<HdfsLake> {
  if (!/^(\/[A-Za-z0-9_=][A-Za-z0-9_=+.~-]*)+$/.test(options.root)) {
    throw new LakeError(
      "bad_path",
      `Cannot use the HDFS folder ${describe(options.root)}: wanted a path such as /isobar/live, of letters, digits and _=+.~-`,
    );
  }
  const nameNodes = options.urls.map(restAddress);
  // Only now: the package below it takes 0.15 s to load, which a program with a local lake would wait for as well.
  const { WebHdfs } = await import("./webhdfs.ts");
  return new WebHdfsLake(options, new WebHdfs({ ...options, nameNodes }));
}

/** {@link hdfsLake}, prepared. @throws LakeError of both */
export async function openHdfsLake(options: HdfsLakeOptions): Promise<Lake> {
  const lake = await hdfsLake(options);
  await lake.prepare();
  return lake;
}

class WebHdfsLake implements HdfsLake {
  readonly kind = "hdfs";
  readonly #root: string;
  readonly #uri: string;
  readonly #clock: Clock;
  readonly #deadlineMs: number;
  readonly #hdfs: WebHdfs;
  /** Folders known to exist. Bounded: it is only a shortcut. */
  readonly #folders = new Set<string>();

  constructor(options: HdfsLakeOptions, hdfs: WebHdfs) {
    this.#root = options.root;
    this.#uri = options.hdfsUri.replace(/\/+$/, "");
    this.#clock = options.clock;
    this.#deadlineMs = options.deadlineMs ?? DEADLINE_MS;
    this.#hdfs = hdfs;
  }

  async prepare(): Promise<void> {
    const folder = `${this.#root}/${TEMPORARY}`;
    try {
      const until = this.#until();
      await this.#hdfs.mkdir(folder, until);
      const now = this.#clock.now();
      const old = (await this.#hdfs.list(folder, until)).filter(
        ({ modificationTime }) => now - modificationTime > DAY_MS,
      );
      await inParallel(old, PARALLEL, ({ pathSuffix }) =>
        this.#hdfs.unlink(`${folder}/${pathSuffix}`, until),
      );
      // Whether the DataNodes can be reached as well, and the folder may be written to.
      await this.#hdfs.unlink(await this.#writeTemporary(new Uint8Array(1), until), until);
    } catch (error) {
      throw lakeError("open", this.#root, error);
    }
  }

  async put(files: readonly NewFile[]): Promise<void> {
    const targets = files.map(({ path, bytes }) => ({ path, target: this.#path(path), bytes }));
    await inParallel(targets, PARALLEL, async ({ path, target, bytes }) => {
      try {
        await this.#place(target, bytes);
      } catch (error) {
        throw lakeError("write", path, error);
      }
    });
  }

  async create(path: string, bytes: Uint8Array): Promise<void> {
    const target = this.#path(path);
    const until = this.#until(bytes);
    try {
      const renamed = await this.#writeAndRename(target, bytes, until);
      if (renamed.state === "renamed") return;
      if (renamed.state === "exists") throw renamed.failure;
      throw new LakeError(
        "unclear",
        `Cannot tell whether ${path} was created in HDFS: ${renamed.failure.message}`,
      );
    } catch (error) {
      throw lakeError("create", path, error);
    }
  }

  async read(path: string): Promise<Uint8Array> {
    const target = this.#path(path);
    try {
      return await this.#hdfs.read(target, this.#until());
    } catch (error) {
      throw lakeError("read", path, error);
    }
  }

  async list(folder: string): Promise<LakeEntry[]> {
    const target = this.#path(folder);
    try {
      const entries = await this.#hdfs.list(target, this.#until());
      return entries
        .map(({ pathSuffix, type }) => ({ name: pathSuffix, folder: type === "DIRECTORY" }))
        .sort((a, b) => (a.name < b.name ? -1 : 1));
    } catch (error) {
      if (error instanceof WebHdfsError && error.missing) return [];
      throw lakeError("list", folder, error);
    }
  }

  async delete(paths: readonly string[]): Promise<void> {
    const targets = paths.map((path) => ({ path, target: this.#path(path) }));
    const unlink = async ({ path, target }: { path: string; target: string }) => {
      try {
        await this.#hdfs.unlink(target, this.#until());
      } catch (error) {
        throw lakeError("delete", path, error);
      }
    };
    await inParallel(targets, PARALLEL, unlink);
    const folders = [...new Set(targets.map(({ target }) => dirname(target)))];
    await inParallel(folders, PARALLEL, async (folder) => {
      if (folder === this.#root) return;
      this.#folders.delete(folder);
      try {
        await this.#hdfs.unlink(folder, this.#until());
      } catch (error) {
        if (!(error instanceof WebHdfsError && error.exception === "PathIsNotEmptyDirectoryException"))
          throw lakeError("delete", folder, error);
      }
    });
  }

  locate(path: string): string {
    return `${this.#uri}${this.#path(path)}`;
  }

  #path(path: string): string {
    return `${this.#root}/${checkPath(path)}`;
  }

  #until(bytes?: Uint8Array): number {
    return this.#clock.now() + this.#deadlineMs + transferMs(bytes?.length ?? 0);
  }

  /** Writes a file whose name nobody else uses: what is found there after a lost answer is this one. */
  async #place(target: string, bytes: Uint8Array): Promise<void> {
    const until = this.#until(bytes);
    const renamed = await this.#writeAndRename(target, bytes, until);
    if (renamed.state === "renamed") return;
    if (renamed.state === "unclear") {
      const { length } = await this.#hdfs.stat(target, Math.max(until, this.#clock.now() + SETTLE_MS));
      if (length === bytes.length) return;
    }
    throw renamed.failure;
  }

  async #writeAndRename(target: string, bytes: Uint8Array, until: number) {
    const folder = dirname(target);
    for (let attempt = 1; ; attempt++) {
      const [temporary] = await Promise.all([
        this.#writeTemporary(bytes, until),
        this.#makeFolder(folder, until),
      ]);
      const renamed = await this.#hdfs.rename(temporary, target, until);
      if (renamed.state === "renamed") return renamed;
      await this.#drop(temporary);
      if (renamed.state !== "missing" || attempt === TRIES) return renamed;
      this.#folders.delete(folder);
    }
  }

  #writeTemporary(bytes: Uint8Array, until: number): Promise<string> {
    const newPath = () => `${this.#root}/${TEMPORARY}/${crypto.randomUUID()}`;
    return this.#hdfs.write(newPath, bytes, until);
  }

  async #makeFolder(folder: string, until: number): Promise<void> {
    if (folder === this.#root || this.#folders.has(folder)) return;
    await this.#hdfs.mkdir(folder, until);
    if (this.#folders.size >= 50_000) this.#folders.clear();
    this.#folders.add(folder);
  }

  /** Deletes a temporary file that was not used. When that fails it is deleted a day later, at an opening. */
  async #drop(temporary: string): Promise<void> {
    try {
      await this.#hdfs.unlink(temporary, this.#clock.now() + SETTLE_MS);
    } catch (error) {
      if (!(error instanceof WebHdfsError)) throw error;
    }
  }
}

function restAddress(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.search !== "" || url.username !== "") {
    throw new LakeError(
      "bad_path",
      `Cannot use the NameNode address ${describe(text)}: wanted one such as http://host:9870`,
    );
  }
  url.pathname = url.pathname.replace(/\/+$/, "") || "/webhdfs/v1";
  return url;
}
