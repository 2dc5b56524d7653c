import { link, mkdir, open, readFile, readdir, rename, rmdir, stat, unlink } from "node:fs/promises";

/** A file that was written and may not be synced yet. */
export interface WrittenFile {
  /** Makes the content durable. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/**
 * The file system operations that the durability of the local lake depends on, one method each. A test can stop the program
 * before any of them, or lose what was not synced. Paths are absolute; errors are Node's (`code`).
 */
export interface Disk {
  /** Writes a new file; fails with EEXIST where there is one. */
  write(path: string, bytes: Uint8Array): Promise<WrittenFile>;
  rename(from: string, to: string): Promise<void>;
  /** Makes a second name for a file; fails with EEXIST if the name is taken. This is the create-if-absent. */
  link(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  makeFolder(path: string): Promise<void>;
  removeFolder(path: string): Promise<void>;
  /** Makes the names in a folder durable. */
  syncFolder(path: string): Promise<void>;
  read(path: string): Promise<Uint8Array>;
  list(path: string): Promise<{ name: string; folder: boolean }[]>;
  info(path: string): Promise<{ size: number; modifiedMs: number }>;
}

/** The machine's own file system. */
export const nodeDisk: Disk = {
  async write(path, bytes) {
    const handle = await open(path, "wx");
    try {
      await handle.writeFile(bytes);
    } catch (error) {
      await handle.close();
      throw error;
    }
    return { sync: () => handle.sync(), close: () => handle.close() };
  },
  rename,
  link,
  unlink,
  makeFolder: async (path) => void (await mkdir(path)),
  removeFolder: rmdir,
  async syncFolder(path) {
    const handle = await open(path, "r");
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
  read: readFile,
  async list(path) {
    const entries = await readdir(path, { withFileTypes: true });
    return entries.map((entry) => ({ name: entry.name, folder: entry.isDirectory() }));
  },
  async info(path) {
    const { size, mtimeMs } = await stat(path);
    return { size, modifiedMs: mtimeMs };
  },
};
