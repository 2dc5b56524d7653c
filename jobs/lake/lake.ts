import { LakeError } from "../../core/errors.ts";
import { describe } from "../../core/observation.ts";

/** A file to be written. */
export interface NewFile {
  /** Path below the lake's root. */
  path: string;
  /** Its whole content. */
  bytes: Uint8Array;
}

/** What a folder holds. */
export interface LakeEntry {
  /** Name inside the folder. */
  name: string;
  /** Whether it is a folder itself. */
  folder: boolean;
}

/**
 * The lake port: a store of files that never change, under one root (a data set's own).
 * Every method rejects with a {@link ../../core/errors.ts LakeError}.
 */
export interface Lake {
  /** What it is, for people: `local folder`, `hdfs`. */
  readonly kind: string;
  /**
   * Writes files whose names nobody else uses, making folders as needed. When it resolves all of them are whole and
   * durable, names and folders included. When it rejects, some may be there: they are uncommitted, so no reader sees them.
   */
  put(files: readonly NewFile[]): Promise<void>;
  /**
   * Creates a file only if there is none of that name: atomic, whole and durable. The fence of every commit.
   *
   * @throws LakeError `exists` when the name is taken, `unclear` when the answer was lost
   */
  create(path: string, bytes: Uint8Array): Promise<void>;
  /** Reads a whole file. @throws LakeError `missing` */
  read(path: string): Promise<Uint8Array>;
  /** What a folder holds, by name; a folder that is not there is empty. Unfinished files are left out. */
  list(folder: string): Promise<LakeEntry[]>;
  /** Deletes files. One that is gone already is no error. */
  delete(paths: readonly string[]): Promise<void>;
  /** How an engine on this machine or in this cluster opens the file: an absolute path or a URL. */
  locate(path: string): string;
}

const SEGMENT = /^[A-Za-z0-9_=][A-Za-z0-9_=+.~-]*$/;

/**
 * Checks a path below the lake's root.
 *
 * @returns `path`
 * @throws LakeError `bad_path` for anything that is empty, absolute, has `.` or `..` in it, or a character beyond
 *   ASCII letters, digits and `_=+.~-`
 */
export function checkPath(path: string): string {
  for (const segment of path.split("/")) {
    if (!SEGMENT.test(segment) || segment.length > 200) {
      throw new LakeError(
        "bad_path",
        `Cannot use the lake path ${describe(path)}: wanted names of letters, digits and _=+.~- separated by /`,
      );
    }
  }
  return path;
}
