import { Database, SQLiteError } from "bun:sqlite";
import { randomUUID } from "node:crypto";
import { mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import { LogError, codeOf, messageOf } from "../../core/errors.ts";

/** Format of the file, in its `user_version`. A newer one is refused. */
const FORMAT = 1;
/** In the file's `application_id`: "Isob". Any other SQLite file is left alone. */
const APPLICATION_ID = 0x49736f62;
/** Longest wait for another process's transaction, ms. */
const BUSY_MS = 2_000;
/** A longer write-ahead log is cut back to this once its content is in the file, bytes. */
const WAL_BYTES = 64 * 1024 * 1024;

/** What to do about a log that cannot be read. */
export const DAMAGED_HINT =
  "Restore the log's file from a backup, or move it away: a new log is made at the next start.";

/**
 * Opens the file of an embedded log, making it and its folders if they are not there.
 *
 * Table `log` has one row: the incarnation, and the next offset, which never goes back. Table `records` has a row a
 * record.
 *
 * @param path absolute
 * @throws LogError `unavailable` when the folder cannot be used, `damaged` when the file is no log, `newer_format`, `full`
 */
export async function openFile(path: string): Promise<Database> {
  let db: Database | undefined;
  try {
    const folder = dirname(path);
    const made = await mkdir(folder, { recursive: true });
    db = new Database(path, { create: true, readwrite: true, strict: true });
    prepare(db, path);
    // A power loss must not take away the file's name, nor that of a new folder.
    const top = made === undefined ? folder : dirname(made);
    for (let at = folder; ; at = dirname(at)) {
      await syncFolder(at);
      if (at === top) return db;
    }
  } catch (error) {
    db?.close();
    throw sqliteLogError(error, `Cannot open the log ${path}`);
  }
}

/** SQLite's and the file system's errors by what they mean to a caller; anything else is a bug and stays as it is. */
export function sqliteLogError(error: unknown, action: string): unknown {
  const code = codeOf(error) ?? "";
  const make = (as: LogError["code"], hint: string) =>
    new LogError(as, `${action}: ${messageOf(error)}`, { cause: error, hint });
  if (error instanceof SQLiteError) {
    if (code === "SQLITE_FULL") return make("full", "Make room on the disk: it goes on by itself.");
    if (/^SQLITE_(CORRUPT|NOTADB|CONSTRAINT)/.test(code)) return make("damaged", DAMAGED_HINT);
    return make("unavailable", "The folder must be there and writable.");
  }
  if (code === "ENOSPC") return make("full", "Make room on the disk.");
  if (/^E[A-Z]+$/.test(code)) return make("unavailable", "The folder must be there and writable.");
  return error;
}

function prepare(db: Database, path: string): void {
  const pragma = (text: string) => db.query<Record<string, string | number>, []>(`PRAGMA ${text}`).get();
  const read = (name: string) => Number(pragma(name)?.[name]);
  const check = () => {
    if (read("application_id") !== APPLICATION_ID) {
      throw new LogError("damaged", `Cannot open the log ${path}: it is the file of another program`, {
        hint: DAMAGED_HINT,
      });
    }
    const format = read("user_version");
    if (format > FORMAT) {
      throw new LogError(
        "newer_format",
        `Cannot open the log ${path}: its format is ${format}, this program reads up to ${FORMAT}`,
        { hint: "Use the newer program that wrote it." },
      );
    }
  };
  pragma(`busy_timeout = ${BUSY_MS}`);
  if (read("schema_version") > 0) check(); // before anything of another program's file is changed
  const mode = pragma("journal_mode = WAL")?.journal_mode;
  if (mode !== "wal") {
    throw new LogError(
      "unavailable",
      `Cannot open the log ${path}: its journal mode is "${mode}", wanted "wal"`,
      {
        hint: "The folder must be on a local disk.",
      },
    );
  }
  db.run("PRAGMA synchronous = FULL");
  pragma(`journal_size_limit = ${WAL_BYTES}`);
  db.transaction(() => {
    if (read("schema_version") > 0) return check(); // another process was first
    db.run(`PRAGMA application_id = ${APPLICATION_ID}`);
    db.run(`PRAGMA user_version = ${FORMAT}`);
    db.run(
      "CREATE TABLE records (offset INTEGER PRIMARY KEY, timestamp INTEGER NOT NULL, value TEXT NOT NULL) STRICT",
    );
    db.run("CREATE TABLE log (incarnation TEXT NOT NULL, next INTEGER NOT NULL) STRICT");
    db.run("INSERT INTO log (incarnation, next) VALUES (?, 0)", [randomUUID()]);
  }).immediate();
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
