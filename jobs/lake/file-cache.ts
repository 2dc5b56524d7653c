import { unlinkSync, utimesSync } from "node:fs";
import { mkdir, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { sha256Hex } from "../../core/checksum.ts";
import { codeOf } from "../../core/errors.ts";
import { HOUR_MS } from "../../core/time.ts";

/** A copy that is complete or being fetched. */
interface Entry {
  /** Absolute path and length; empty and 0 until it is fetched. */
  path: string;
  bytes: number;
  /** Number of callers that use it or wait for it. It is not evicted while there are any. */
  users: number;
  fetching: Promise<void> | null;
}

/** A copy in use. */
export interface UsedFile {
  /** Absolute path. */
  path: string;
  /** Its length. */
  bytes: number;
  /** Ends the use: the file may be deleted from now on. Call it once. */
  release(): void;
}

/** Names are `<hash of the key>-<length><ending>`: the length detects a file truncated by a power loss. */
const PART = ".part";
const NAME = /^([0-9a-f]{64})-(\d+)(\.[a-z]+)?$/;

/** Age after which an unfinished fetch belongs to a dead process, ms. */
const PART_MS = HOUR_MS;

/**
 * A folder of copies of immutable files, with LRU eviction. It survives a restart.
 *
 * Processes may share a folder: none sees unfinished copies of another. Each bounds the size by its own count. It may delete
 * a copy that another process uses, which then fetches it again.
 */
export class FileCache {
  readonly #folder: string;
  readonly #maxBytes: number;
  readonly #now: () => number;
  /** By the hash of their key; the least recently used first. */
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;

  private constructor(folder: string, maxBytes: number, now: () => number) {
    this.#folder = folder;
    this.#maxBytes = maxBytes;
    this.#now = now;
  }

  /** Opens a folder, making it if needed. Unfinished and damaged files in it are deleted. */
  static async open(folder: string, maxBytes: number, now: () => number = Date.now): Promise<FileCache> {
    await mkdir(folder, { recursive: true });
    const cache = new FileCache(folder, maxBytes, now);
    const found: { hash: string; entry: Entry; usedMs: number }[] = [];
    for (const name of await readdir(folder)) {
      const path = join(folder, name);
      const info = await stat(path).catch(() => null);
      if (info === null) continue; // another process has just deleted it
      const [, hash, length] = NAME.exec(name) ?? [];
      if (hash !== undefined && info.size === Number(length))
        found.push({
          hash,
          entry: { path, bytes: info.size, users: 0, fetching: null },
          usedMs: info.mtimeMs,
        });
      else if (!name.endsWith(PART) || now() - info.mtimeMs > PART_MS)
        await rm(path, { recursive: true, force: true });
    }
    for (const { hash, entry } of found.sort((a, b) => a.usedMs - b.usedMs)) {
      cache.#entries.set(hash, entry);
      cache.#bytes += entry.bytes;
    }
    cache.#evict();
    return cache;
  }

  /** Bytes of all copies. Files in use may take it beyond its bound until they are released. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Returns a copy for use, and fetches it if it is missing. Concurrent callers share one fetch.
   *
   * @param key what it is a copy of; its ending (`.parquet`) is kept
   * @throws what `fetchBytes` throws, and errors of the file system
   */
  async use(key: string, fetchBytes: () => Promise<Uint8Array>): Promise<UsedFile> {
    const hash = sha256Hex(key);
    let entry = this.#entries.get(hash);
    if (entry !== undefined && entry.fetching === null && !this.#touch(entry)) {
      this.#forget(hash, entry);
      entry = undefined;
    }
    if (entry === undefined) {
      entry = { path: "", bytes: 0, users: 0, fetching: null };
      entry.fetching = this.#fetch(hash, key, entry, fetchBytes);
    }
    // The most recently used is the last.
    this.#entries.delete(hash);
    this.#entries.set(hash, entry);
    const used = entry;
    used.users++;
    const release = () => {
      used.users--;
      this.#evict();
    };
    try {
      await used.fetching;
    } catch (error) {
      release();
      throw error;
    }
    return { path: used.path, bytes: used.bytes, release };
  }

  async #fetch(
    hash: string,
    key: string,
    entry: Entry,
    fetchBytes: () => Promise<Uint8Array>,
  ): Promise<void> {
    try {
      const bytes = await fetchBytes();
      const path = join(this.#folder, `${hash}-${bytes.length}${/\.[a-z]+$/.exec(key)?.[0] ?? ""}`);
      const temporary = `${path}.${crypto.randomUUID()}${PART}`;
      try {
        await writeFile(temporary, bytes);
        await rename(temporary, path);
      } catch (error) {
        await rm(temporary, { force: true });
        throw error;
      }
      entry.path = path;
      entry.bytes = bytes.length;
      this.#bytes += bytes.length;
      this.#evict();
    } catch (error) {
      this.#entries.delete(hash);
      throw error;
    } finally {
      entry.fetching = null;
    }
  }

  /** Updates the file's time, which gives the LRU order after a restart. False if the file was deleted. */
  #touch(entry: Entry): boolean {
    const seconds = this.#now() / 1000;
    try {
      utimesSync(entry.path, seconds, seconds);
      return true;
    } catch (error) {
      if (codeOf(error) === "ENOENT") return false;
      throw error;
    }
  }

  /** Evicts the least recently used copies until the rest fits. */
  #evict(): void {
    for (const [hash, entry] of this.#entries) {
      if (this.#bytes <= this.#maxBytes) return;
      if (entry.users > 0 || entry.fetching !== null) continue;
      this.#forget(hash, entry);
      try {
        // Synchronous: a later unlink could delete a new copy that was fetched under the same name in the meantime.
        unlinkSync(entry.path);
      } catch (error) {
        if (codeOf(error) !== "ENOENT") throw error;
      }
    }
  }

  #forget(hash: string, entry: Entry): void {
    this.#entries.delete(hash);
    this.#bytes -= entry.bytes;
  }
}
