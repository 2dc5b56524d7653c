import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname } from "node:path";
import type { Clock } from "../../../core/clock.ts";

/** A request as a node of the fake sees it. */
export interface Call {
  /** `namenode-1`, `datanode-2`, … */
  node: string;
  op: string;
  path: string;
  parameters: URLSearchParams;
}

/**
 * What goes wrong: `drop` hangs up before anything was done, `lose` after it; `hang` never answers; `short` keeps or
 * sends half of a file as if it were all; `cut` hangs up in the middle of an answer.
 */
export type Fault =
  "drop" | "lose" | "hang" | "short" | "cut" | { status: number; exception?: string; message?: string };

interface Planned {
  wanted: Partial<Pick<Call, "node" | "op">>;
  fault: Fault;
  left: number;
}

const USER_FOLDER = "/isobar";

/** NameNodes and DataNodes that answer like WebHDFS, over files in memory, and fail on demand. */
export class FakeWebHdfs {
  readonly files = new Map<string, { bytes: Uint8Array; modified: number }>();
  readonly folders = new Set<string>(["/"]);
  /** Every request, in order. */
  readonly calls: Call[] = [];
  /** Entries of a page of LISTSTATUS_BATCH. */
  pageSize = 3;
  /** Whether the NameNodes list their DataNodes at `/jmx`. */
  jmx = true;
  readonly #servers = new Map<string, Server>();
  readonly #planned: Planned[] = [];
  readonly #hanging: { arrived: () => void; wanted: number }[] = [];
  #hung = 0;

  static async start(nameNodes = 1, dataNodes = 2): Promise<FakeWebHdfs> {
    const fake = new FakeWebHdfs();
    const names = [
      ...Array.from({ length: nameNodes }, (_, i) => `namenode-${i + 1}`),
      ...Array.from({ length: dataNodes }, (_, i) => `datanode-${i + 1}`),
    ];
    for (const name of names) {
      const server = createServer((request, response) => void fake.#serve(name, request, response));
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      fake.#servers.set(name, server);
    }
    return fake;
  }

  /** Addresses of the NameNodes. */
  get urls(): string[] {
    return [...this.#servers.keys()]
      .filter((name) => name.startsWith("namenode"))
      .map((name) => `http://${this.address(name)}`);
  }

  /** `host:port` of a node, where it answers or did. */
  address(name: string): string {
    return this.#addresses.get(name) ?? this.#listening(name);
  }
  readonly #addresses = new Map<string, string>();

  #listening(name: string): string {
    const address = `127.0.0.1:${(this.#servers.get(name)!.address() as AddressInfo).port}`;
    this.#addresses.set(name, address);
    return address;
  }

  /** Lets the next `times` fitting requests fail. */
  fail(wanted: Planned["wanted"], fault: Fault, times = 1): void {
    this.#planned.push({ wanted, fault, left: times });
  }

  /** Forgets every failure that is still to come. */
  heal(): void {
    this.#planned.length = 0;
  }

  /** Ends a node: connections to it are refused. */
  async kill(name: string): Promise<void> {
    this.address(name);
    const server = this.#servers.get(name)!;
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  /** Resolves when so many requests have been left hanging. */
  hung(count: number): Promise<void> {
    if (this.#hung >= count) return Promise.resolve();
    return new Promise((arrived) => this.#hanging.push({ arrived, wanted: count }));
  }

  /** How many requests fit. */
  count(wanted: Planned["wanted"]): number {
    return this.calls.filter((call) => fits(call, wanted)).length;
  }

  async stop(): Promise<void> {
    for (const server of this.#servers.values()) {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    }
  }

  async #serve(node: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url!, "http://fake");
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = new Uint8Array(Buffer.concat(chunks));
    if (url.pathname === "/jmx") return this.#answerJmx(response);
    const call: Call = {
      node,
      op: url.searchParams.get("op")!.toUpperCase().replace("MKDIRS", "MKDIR"),
      path: decodeURIComponent(url.pathname.replace("/webhdfs/v1", "")),
      parameters: url.searchParams,
    };
    this.calls.push(call);
    const planned = this.#planned.find(({ wanted, left }) => left > 0 && fits(call, wanted));
    if (planned !== undefined) planned.left--;
    const fault = planned?.fault;
    if (fault === "drop") return void request.socket.destroy();
    if (fault === "hang") {
      this.#hung++;
      for (const { arrived, wanted } of this.#hanging) if (this.#hung >= wanted) arrived();
      return;
    }
    if (typeof fault === "object") {
      const { status, exception, message = "injected by the test" } = fault;
      response.writeHead(status, { "content-type": "application/json" });
      return void response.end(
        exception === undefined ? "" : JSON.stringify({ RemoteException: { exception, message } }),
      );
    }
    const { status, json, bytes, headers } = node.startsWith("namenode")
      ? this.#nameNode(call)
      : this.#dataNode(call, fault === "short" ? body.slice(0, body.length / 2) : body);
    if (fault === "lose") return void request.socket.destroy();
    const whole = bytes ?? (json === undefined ? new Uint8Array() : Buffer.from(JSON.stringify(json)));
    const content = fault === "short" && bytes !== undefined ? whole.slice(0, whole.length / 2) : whole;
    response.writeHead(status, {
      "content-type": bytes === undefined ? "application/json" : "application/octet-stream",
      "content-length": String(content.length),
      ...headers,
    });
    if (fault !== "cut") return void response.end(content);
    response.write(content.slice(0, content.length / 2), () => request.socket.destroy());
  }

  #answerJmx(response: ServerResponse): void {
    if (!this.jmx) return void response.writeHead(403).end("<html>no</html>");
    const nodes = [...this.#servers.keys()].filter((name) => name.startsWith("datanode"));
    const live = nodes.map((name) => [
      `${name}.example:1`,
      { infoAddr: this.address(name), infoSecureAddr: "127.0.0.1:0", xferaddr: `${name}.example:1` },
    ]);
    response.end(JSON.stringify({ beans: [{ LiveNodes: JSON.stringify(Object.fromEntries(live)) }] }));
  }

  #nameNode({ op, path, parameters }: Call): Answer {
    switch (op) {
      case "MKDIR":
        this.#makeFolders(path);
        return { status: 200, json: { boolean: true } };
      case "GETFILESTATUS": {
        const found = this.#status(path, "");
        return found === null ? notFound(path) : { status: 200, json: { FileStatus: found } };
      }
      case "LISTSTATUS_BATCH": {
        if (!this.folders.has(path)) return notFound(path);
        const after = parameters.get("startAfter") ?? "";
        const entries = this.#entries(path).filter(({ pathSuffix }) => pathSuffix > after);
        const page = entries.slice(0, this.pageSize);
        return {
          status: 200,
          json: {
            DirectoryListing: {
              partialListing: { FileStatuses: { FileStatus: page } },
              remainingEntries: entries.length - page.length,
            },
          },
        };
      }
      case "DELETE":
        if (this.folders.has(path)) {
          if (this.#entries(path).length > 0)
            return refusal(403, "PathIsNotEmptyDirectoryException", `${path} is non empty`);
          return { status: 200, json: { boolean: this.folders.delete(path) } };
        }
        return { status: 200, json: { boolean: this.files.delete(path) } };
      case "RENAME":
        return this.#rename(path, parameters);
      case "OPEN":
        if (!this.files.has(path)) return notFound(path);
        return this.#redirect(op, path, parameters);
      case "CREATE":
        return this.#redirect(op, path, parameters);
      default:
        return refusal(400, "IllegalArgumentException", `Invalid value for webhdfs parameter "op": ${op}`);
    }
  }

  #rename(path: string, parameters: URLSearchParams): Answer {
    const to = parameters.get("destination")!;
    const file = this.files.get(path);
    const possible = file !== undefined && this.folders.has(dirname(to));
    // Without the option a refusal is a success that says false.
    if (parameters.get("renameoptions") !== "NONE") {
      if (!possible || this.files.has(to)) return { status: 200, json: { boolean: false } };
    } else if (!possible) return notFound(path);
    else if (this.files.has(to)) return refusal(403, "FileAlreadyExistsException", `${to} already exists`);
    this.files.delete(path);
    this.files.set(to, file!);
    return { status: 200 };
  }

  #redirect(op: string, path: string, parameters: URLSearchParams): Answer {
    const excluded = (parameters.get("excludedatanodes") ?? "").split(",");
    const nodes = [...this.#servers.keys()].filter((name) => name.startsWith("datanode"));
    const free = nodes.filter(
      (name) => !excluded.includes(`${name}.example:1`) && !excluded.includes("127.0.0.1"),
    );
    if (free.length === 0) return refusal(403, "IOException", "Failed to find datanode");
    const query = new URLSearchParams({ op, namenoderpcaddress: "fake:8020" });
    for (const name of ["user.name", "delegation"])
      if (parameters.has(name)) query.set(name, parameters.get(name)!);
    return {
      status: 307,
      headers: { location: `http://${this.address(free[0]!)}/webhdfs/v1${path}?${query.toString()}` },
    };
  }

  #dataNode({ op, path }: Call, body: Uint8Array): Answer {
    if (op === "CREATE") {
      this.#makeFolders(dirname(path));
      this.files.set(path, { bytes: body, modified: Date.UTC(2026, 0, 31, 12) });
      return { status: 201 };
    }
    const file = this.files.get(path);
    return file === undefined ? notFound(path) : { status: 200, bytes: file.bytes };
  }

  #makeFolders(path: string): void {
    for (let folder = path; folder !== "/"; folder = dirname(folder)) this.folders.add(folder);
  }

  #status(path: string, pathSuffix: string): Status | null {
    const file = this.files.get(path);
    if (file !== undefined)
      return { pathSuffix, type: "FILE", length: file.bytes.length, modificationTime: file.modified };
    return this.folders.has(path) ? { pathSuffix, type: "DIRECTORY", length: 0, modificationTime: 0 } : null;
  }

  #entries(folder: string): Status[] {
    return [...this.files.keys(), ...this.folders]
      .filter((path) => path !== "/" && dirname(path) === folder)
      .sort()
      .map((path) => this.#status(path, path.slice(path.lastIndexOf("/") + 1))!);
  }
}

/**
 * A clock for retries: a wait between two tries is over at once and moves the time on, and a timeout, which its owner
 * can end, comes only when the test says so.
 */
export class RetryClock implements Clock {
  #now = Date.UTC(2026, 0, 31, 12);
  readonly #timeouts = new Set<() => void>();

  now(): number {
    return this.#now;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal === undefined) {
      this.#now += ms;
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      const end = () => {
        this.#timeouts.delete(end);
        resolve();
      };
      this.#timeouts.add(end);
      signal.addEventListener("abort", end, { once: true });
    });
  }

  /** Moves the time on and ends every timeout. */
  timeOut(ms: number): void {
    this.#now += ms;
    for (const end of this.#timeouts) end();
  }
}

/** The folder of the lakes of these tests. */
export const ROOT = `${USER_FOLDER}/live`;

interface Status {
  pathSuffix: string;
  type: "FILE" | "DIRECTORY";
  length: number;
  modificationTime: number;
}

interface Answer {
  status: number;
  json?: unknown;
  bytes?: Uint8Array;
  headers?: Record<string, string>;
}

function refusal(status: number, exception: string, message: string): Answer {
  return { status, json: { RemoteException: { exception, message } } };
}

function notFound(path: string): Answer {
  return refusal(404, "FileNotFoundException", `File does not exist: ${path}`);
}

function fits(call: Call, wanted: Planned["wanted"]): boolean {
  return (
    (wanted.node === undefined || call.node.startsWith(wanted.node)) &&
    (wanted.op === undefined || call.op === wanted.op)
  );
}
