import type { Disk } from "../../jobs/lake/disk.ts";

interface FileNode {
  kind: "file";
  content: Uint8Array;
  synced: boolean;
  modifiedMs: number;
}

interface FolderNode {
  kind: "folder";
  /** Names as the program sees them. */
  names: Map<string, Node>;
  /** Names that outlive a power loss. */
  durable: Map<string, Node>;
  /** Changes of names since the last sync, in order: the node, or null where the name was taken away. */
  pending: { name: string; node: Node | null }[];
}

type Node = FileNode | FolderNode;

/** Which operation a {@link MemoryDisk} leaves out, to show that a test would notice. */
export type Omission = "sync of a file" | "sync of a folder" | "sync of a parent" | "sync before the link";

const newFolder = (): FolderNode => ({ kind: "folder", names: new Map(), durable: new Map(), pending: [] });

function failure(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}

/**
 * A file system in memory that knows what a power loss leaves. The content of a file is durable once that file was synced,
 * a name (also of a folder) once the folder that holds it was synced. Of everything else any part may be lost: each change
 * of a name on its own, whatever their order, and a file's content wholly, in part or not at all.
 */
export class MemoryDisk implements Disk {
  /** Called before each operation that changes something, with a word for it. */
  before: (operation: string) => void = () => {};
  readonly #root: FolderNode;
  readonly #omission: Omission | undefined;
  #last = "";

  constructor(omission?: Omission, root: FolderNode = newFolder()) {
    this.#root = root;
    this.#omission = omission;
  }

  async write(path: string, bytes: Uint8Array) {
    this.#begin("write");
    const { folder, name } = this.#parent(path);
    if (folder.names.has(name)) throw failure("EEXIST", path);
    const file: FileNode = { kind: "file", content: bytes.slice(), synced: false, modifiedMs: 0 };
    this.#change(folder, name, file);
    return {
      sync: async () => {
        this.#begin("sync");
        if (this.#omission !== "sync of a file") file.synced = true;
      },
      close: async () => {},
    };
  }

  async rename(from: string, to: string): Promise<void> {
    this.#begin("rename");
    const source = this.#parent(from);
    const node = this.#node(from);
    const target = this.#parent(to);
    this.#change(target.folder, target.name, node);
    this.#change(source.folder, source.name, null);
  }

  async link(from: string, to: string): Promise<void> {
    this.#begin("link");
    const node = this.#node(from);
    const { folder, name } = this.#parent(to);
    if (folder.names.has(name)) throw failure("EEXIST", to);
    this.#change(folder, name, node);
  }

  async unlink(path: string): Promise<void> {
    this.#begin("unlink");
    if (this.#node(path).kind === "folder") throw failure("EISDIR", path);
    const { folder, name } = this.#parent(path);
    this.#change(folder, name, null);
  }

  async makeFolder(path: string): Promise<void> {
    this.#begin("make folder");
    const { folder, name } = this.#parent(path);
    if (folder.names.has(name)) throw failure("EEXIST", path);
    this.#change(folder, name, newFolder());
  }

  async removeFolder(path: string): Promise<void> {
    this.#begin("remove folder");
    if (this.#folder(path).names.size > 0) throw failure("ENOTEMPTY", path);
    const { folder, name } = this.#parent(path);
    this.#change(folder, name, null);
  }

  async syncFolder(path: string): Promise<void> {
    const afterFile = this.#last === "sync";
    this.#begin("sync folder");
    const folder = this.#folder(path);
    const ofFolders = folder.pending.some(({ node }) => node?.kind === "folder");
    if (this.#omission === "sync of a folder" && !ofFolders) return;
    if (this.#omission === "sync of a parent" && ofFolders) return;
    if (this.#omission === "sync before the link" && afterFile) return;
    folder.durable = new Map(folder.names);
    folder.pending = [];
  }

  async read(path: string): Promise<Uint8Array> {
    const node = this.#node(path);
    if (node.kind === "folder") throw failure("EISDIR", path);
    return node.content;
  }

  async list(path: string): Promise<{ name: string; folder: boolean }[]> {
    return [...this.#folder(path).names].map(([name, node]) => ({ name, folder: node.kind === "folder" }));
  }

  async info(path: string): Promise<{ size: number; modifiedMs: number }> {
    const node = this.#node(path);
    return node.kind === "folder"
      ? { size: 0, modifiedMs: 0 }
      : { size: node.content.length, modifiedMs: node.modifiedMs };
  }

  /**
   * What is left when the power goes now.
   *
   * @param keep asked once for each effect that is not durable, in a fixed order and with its path: the share of it that is
   *   kept; a change of a name is kept from 0.5 on
   */
  afterPowerLoss(keep: (path: string) => number): MemoryDisk {
    const copied = new Map<Node, Node>();
    const copy = (node: Node, path: string): Node => {
      const done = copied.get(node);
      if (done !== undefined) return done;
      if (node.kind === "file") {
        const share = node.synced ? 1 : keep(path);
        const content = node.content.slice(0, Math.floor(share * node.content.length));
        const file: FileNode = { kind: "file", content, synced: true, modifiedMs: node.modifiedMs };
        copied.set(node, file);
        return file;
      }
      const folder = newFolder();
      copied.set(node, folder);
      const kept = new Map(node.durable);
      for (const { name, node: child } of node.pending) {
        if (keep(`${path}/${name}`) < 0.5) continue;
        if (child === null) kept.delete(name);
        else kept.set(name, child);
      }
      for (const [name, child] of kept) folder.names.set(name, copy(child, `${path}/${name}`));
      folder.durable = new Map(folder.names);
      return folder;
    };
    return new MemoryDisk(this.#omission, copy(this.#root, "") as FolderNode);
  }

  /** What is left when only the process dies: everything, and no more durable than before. */
  afterKill(): MemoryDisk {
    const copied = new Map<Node, Node>();
    const copy = (node: Node): Node => {
      const done = copied.get(node);
      if (done !== undefined) return done;
      if (node.kind === "file") {
        const file = { ...node };
        copied.set(node, file);
        return file;
      }
      const folder = newFolder();
      copied.set(node, folder);
      for (const [name, child] of node.names) folder.names.set(name, copy(child));
      for (const [name, child] of node.durable) folder.durable.set(name, copy(child));
      folder.pending = node.pending.map(({ name, node }) => ({
        name,
        node: node === null ? null : copy(node),
      }));
      return folder;
    };
    return new MemoryDisk(this.#omission, copy(this.#root) as FolderNode);
  }

  /** Every file below a folder with its length, as one text: two disks with the same are the same to the program. */
  fingerprint(path: string, leftOut: string): string {
    const lines: string[] = [];
    const walk = (folder: FolderNode, below: string) => {
      for (const [name, node] of folder.names) {
        if (name === leftOut) continue;
        if (node.kind === "file") lines.push(`${below}/${name} ${node.content.length}`);
        else walk(node, `${below}/${name}`);
      }
    };
    if (this.#find(path) !== undefined) walk(this.#folder(path), "");
    return lines.sort().join("\n");
  }

  #begin(operation: string): void {
    this.before(operation);
    this.#last = operation;
  }

  #change(folder: FolderNode, name: string, node: Node | null): void {
    if (node === null) folder.names.delete(name);
    else folder.names.set(name, node);
    folder.pending.push({ name, node });
  }

  #find(path: string): Node | undefined {
    let node: Node | undefined = this.#root;
    for (const name of path.split("/").filter((part) => part !== "")) {
      if (node?.kind !== "folder") return undefined;
      node = node.names.get(name);
    }
    return node;
  }

  #node(path: string): Node {
    const node = this.#find(path);
    if (node === undefined) throw failure("ENOENT", path);
    return node;
  }

  #folder(path: string): FolderNode {
    const node = this.#node(path);
    if (node.kind !== "folder") throw failure("ENOTDIR", path);
    return node;
  }

  #parent(path: string): { folder: FolderNode; name: string } {
    const cut = path.lastIndexOf("/");
    return { folder: this.#folder(path.slice(0, cut)), name: path.slice(cut + 1) };
  }
}
