import { Database } from "bun:sqlite";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { ConfigError, codeOf, messageOf } from "../core/errors.ts";

/** Who holds a role. A field is null when the holder did not say. */
export interface RoleHolder {
  /** Process id. */
  pid: number | null;
  /** Where its server answers. */
  url: string | null;
}

/** A role that this process holds. */
export interface RoleLock {
  /** Tells others where this process answers, once it is known. */
  announce(url: string): void;
  /** Gives the role back. A second call does nothing. */
  release(): void;
}

/** Longest wait when the lock is taken, ms: longer than somebody's look at it, and still at once for a person. */
const BUSY_MS = 100;

/** Keeps the connections from being collected as garbage: the lock would go with them. */
const held = new Set<Database>();

/**
 * Takes a role on a data folder for this process. It is freed by {@link RoleLock.release} or by the process's death,
 * however it dies: the lock is the operating system's, on an SQLite file in an exclusive transaction.
 *
 * @param folder the data folder; `locks/` is made in it
 * @param dataset name of the data set
 * @param role name of the role
 * @param info.url where this process answers, for those who find the role taken
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
    database.close(); // frees the lock last, so the side file of the next holder stays
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
 * Tells who holds a role now.
 *
 * @returns null when nobody does
 * @throws ConfigError `bad_setting` when the lock cannot be looked at
 */
export async function holderOf(folder: string, dataset: string, role: string): Promise<RoleHolder | null> {
  const { lock, side } = filesOf(folder, dataset, role);
  let db: Database | undefined;
  try {
    db = new Database(lock, { readwrite: true, create: false });
    db.query("SELECT count(*) FROM sqlite_schema").get(); // an exclusive transaction lets nobody read
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
  // The lock file is opened by SQLite only: when a process closes a file, the system frees its locks on it.
  const base = join(resolve(folder), "locks", `${dataset}.${role}`);
  return { lock: `${base}.lock`, side: `${base}.json` };
}

function readSide(side: string): RoleHolder {
  try {
    const { pid, url } = JSON.parse(readFileSync(side, "utf8")) as Partial<RoleHolder>;
    return { pid: typeof pid === "number" ? pid : null, url: typeof url === "string" ? url : null };
  } catch {
    return { pid: null, url: null }; // the holder is just writing it; the lock is what counts
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
