import { Database } from "bun:sqlite";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { ConfigError, codeOf, messageOf } from "../core/errors.ts";

/** The process that holds a role. A field is null if the holder has not announced it. */
export interface RoleHolder {
  /** Process id. */
  pid: number | null;
  /** Address of its web server. */
  url: string | null;
}

/** The lock of a role that this process holds. */
export interface RoleLock {
  /** Publishes the address of this process's web server, once it is known. */
  announce(url: string): void;
  /** Releases the lock. A second call does nothing. */
  release(): void;
}

/** Longest wait for a taken lock, ms: longer than a read by {@link holderOf}, and short for a person. */
const BUSY_MS = 100;

/** References to the open connections. Garbage collection of one would release its lock. */
const held = new Set<Database>();

/**
 * Locks a role on a data folder for this process. The lock is an exclusive transaction on an SQLite file, that is a lock of
 * the operating system: {@link RoleLock.release} frees it, and so does any end of the process.
 *
 * @param folder the data folder; `locks/` is made in it
 * @param dataset name of the data set
 * @param role name of the role
 * @param info.url address of this process's web server, for those who find the role taken
 * @throws ConfigError `locked` when another process or this one holds it, `bad_setting` when the folder cannot be used
 */
export async function lockRole(
  folder: string,
  dataset: string,
  role: string,
  info: { url?: string } = {},
): Promise<RoleLock> {
  const { lock, side } = filesOf(folder, dataset, role);
  let db: Database | undefined;
  try {
    mkdirSync(join(folder, "locks"), { recursive: true });
    db = new Database(lock, { create: true, readwrite: true });
    db.run(`PRAGMA busy_timeout = ${BUSY_MS}`);
    db.run("BEGIN EXCLUSIVE");
  } catch (cause) {
    db?.close();
    if (isBusy(cause)) throw lockedError(folder, dataset, role, readSide(side), cause);
    throw new ConfigError("bad_setting", `Cannot lock the role "${role}" with ${lock}: ${messageOf(cause)}`, {
      cause,
      hint: "The data folder must be a folder this user may write to.",
    });
  }
  const database = db;
  held.add(database);
  const announce = (url: string | null) =>
    writeFileSync(side, `${JSON.stringify({ pid: process.pid, url } satisfies RoleHolder)}\n`);
  const release = () => {
    if (!held.delete(database)) return;
    rmSync(side, { force: true });
    database.close(); // frees the lock last: the holder file that was deleted cannot be the next holder's
  };
  try {
    announce(info.url ?? null);
  } catch (cause) {
    release();
    throw new ConfigError("bad_setting", `Cannot write ${side}: ${messageOf(cause)}`, { cause });
  }
  return { announce, release };
}

/**
 * Finds the present holder of a role.
 *
 * @returns null if there is none
 * @throws ConfigError `bad_setting` when the lock cannot be read
 */
export async function holderOf(folder: string, dataset: string, role: string): Promise<RoleHolder | null> {
  const { lock, side } = filesOf(folder, dataset, role);
  let db: Database | undefined;
  try {
    db = new Database(lock, { readwrite: true, create: false });
    db.query("SELECT count(*) FROM sqlite_schema").get(); // fails while an exclusive transaction is open
    return null;
  } catch (cause) {
    if (isBusy(cause)) return readSide(side);
    if (codeOf(cause) === "SQLITE_CANTOPEN") return null;
    throw new ConfigError("bad_setting", `Cannot look at the lock ${lock}: ${messageOf(cause)}`, { cause });
  } finally {
    db?.close();
  }
}

function filesOf(folder: string, dataset: string, role: string): { lock: string; side: string } {
  for (const name of [dataset, role]) {
    if (!/^[A-Za-z0-9_-]{1,100}$/.test(name)) {
      throw new ConfigError("bad_setting", `Cannot lock "${name}": wanted letters, digits, "_" and "-"`);
    }
  }
  // Only SQLite may open the lock file: POSIX frees all locks of a process on a file when it closes any handle of it.
  const base = join(resolve(folder), "locks", `${dataset}.${role}`);
  return { lock: `${base}.lock`, side: `${base}.json` };
}

function readSide(side: string): RoleHolder {
  try {
    const { pid, url } = JSON.parse(readFileSync(side, "utf8")) as Partial<RoleHolder>;
    return { pid: typeof pid === "number" ? pid : null, url: typeof url === "string" ? url : null };
  } catch {
    return { pid: null, url: null }; // the holder is writing the file at this moment
  }
}

function isBusy(error: unknown): boolean {
  return /^SQLITE_(BUSY|LOCKED)/.test(codeOf(error) ?? "");
}

function lockedError(
  folder: string,
  dataset: string,
  role: string,
  holder: RoleHolder,
  cause: unknown,
): ConfigError {
  const who = holder.pid === null ? "another process" : `process ${holder.pid}`;
  const where = holder.url === null ? "" : ` (${holder.url})`;
  return new ConfigError(
    "locked",
    `Cannot take the role "${role}" of the data set "${dataset}" in ${resolve(folder)}: ${who}${where} holds it`,
    { cause, hint: "Stop that process, or use another DATA_DIR or other ROLES." },
  );
}
