import type { FileStatus } from "webhdfs";
import { answerError, connectionError, WebHdfsError } from "./webhdfs-error.ts";
import type { Credentials } from "./webhdfs-package.ts";

type Parameters = Readonly<Record<string, string>>;

/** Time that moving so many bytes may take, ms: a megabyte a second is slow for any cluster. */
export function transferMs(bytes: number): number {
  return bytes / 1_000;
}

/**
 * HDFS's REST API through `fetch`: what the package `webhdfs` gets wrong or does not have.
 * {@link ./webhdfs-package.ts PackageClient} says which calls are whose, and why.
 */
export class RestClient {
  readonly #credentials: Credentials;

  constructor(credentials: Credentials) {
    this.#credentials = credentials;
  }

  /** Reads a whole file. Compare its length with `stat`: a connection may end early without an error. */
  async open(nameNode: URL, path: string, exclude: string, signal: AbortSignal): Promise<Uint8Array> {
    const url = this.#url(nameNode, path, "OPEN", excluding(exclude));
    const first = await this.#send(nameNode, null, url, { method: "GET", signal });
    const response =
      first.status === 307 ? await this.#follow(nameNode, first, { method: "GET", signal }) : first;
    const dataNode = first === response ? null : authorityOf(first);
    if (response.status !== 200) throw answerError(response.status, await text(response), dataNode);
    try {
      return new Uint8Array(await response.arrayBuffer());
    } catch (error) {
      throw connectionError(error, { nameNode: nameNode.host, dataNode, timedOut: signal.aborted });
    }
  }

  /** Writes a file that no other request writes. */
  async create(
    nameNode: URL,
    path: string,
    bytes: Uint8Array,
    exclude: string,
    signal: AbortSignal,
  ): Promise<void> {
    const url = this.#url(nameNode, path, "CREATE", {
      overwrite: "true",
      permission: "644",
      ...excluding(exclude),
    });
    const first = await this.#send(nameNode, null, url, { method: "PUT", signal });
    if (first.status !== 307) throw answerError(first.status, await text(first));
    const response = await this.#follow(nameNode, first, {
      method: "PUT",
      body: bytes,
      headers: { "content-type": "application/octet-stream" },
      signal,
    });
    if (response.status !== 201) throw answerError(response.status, await text(response), authorityOf(first));
    await response.body?.cancel();
  }

  /** Renames a file to a name that must be free: atomic. */
  async rename(nameNode: URL, from: string, to: string, signal: AbortSignal): Promise<void> {
    const url = this.#url(nameNode, from, "RENAME", { destination: to, renameoptions: "NONE" });
    const response = await this.#send(nameNode, null, url, { method: "PUT", signal });
    if (response.status !== 200) throw answerError(response.status, await text(response));
    await response.body?.cancel();
  }

  /** A page of a folder's entries that sort behind `after`, and how many follow. */
  async list(
    nameNode: URL,
    path: string,
    after: string,
    signal: AbortSignal,
  ): Promise<{ entries: FileStatus[]; remaining: number }> {
    const url = this.#url(nameNode, path, "LISTSTATUS_BATCH", after === "" ? {} : { startAfter: after });
    const response = await this.#send(nameNode, null, url, { method: "GET", signal });
    if (response.status !== 200) throw answerError(response.status, await text(response));
    try {
      const { DirectoryListing: listing } = (await response.json()) as {
        DirectoryListing: {
          partialListing: { FileStatuses: { FileStatus: FileStatus[] } };
          remainingEntries: number;
        };
      };
      return { entries: listing.partialListing.FileStatuses.FileStatus, remaining: listing.remainingEntries };
    } catch (error) {
      throw connectionError(error, { nameNode: nameNode.host, dataNode: null, timedOut: signal.aborted });
    }
  }

  /**
   * What `excludedatanodes` calls a DataNode: the address of its data port, which no redirect tells. The NameNode's own
   * list has both addresses; where that cannot be read, the host's name has to do.
   *
   * @param address `host:port` as a redirect names it
   */
  async dataAddress(nameNode: URL, address: string, signal: AbortSignal): Promise<string> {
    const host = address.replace(/:\d+$/, "");
    try {
      const url = new URL("/jmx?qry=Hadoop:service=NameNode,name=NameNodeInfo", nameNode);
      const response = await this.#send(nameNode, null, url, { method: "GET", signal });
      const { beans } = JSON.parse(await text(response)) as { beans: { LiveNodes: string }[] };
      const nodes = JSON.parse(beans[0]?.LiveNodes ?? "{}") as Record<
        string,
        { infoAddr: string; infoSecureAddr: string; xferaddr: string }
      >;
      // A redirect may name the host where the list has its number, so the name of the node itself counts as well.
      const port = address.slice(host.length);
      for (const [name, { infoAddr, infoSecureAddr, xferaddr }] of Object.entries(nodes)) {
        const web = [infoAddr, infoSecureAddr];
        if (web.includes(address)) return xferaddr;
        if (name.startsWith(`${host}:`) && web.some((one) => one.endsWith(port))) return xferaddr;
      }
    } catch (error) {
      if (!(error instanceof WebHdfsError || error instanceof SyntaxError)) throw error;
    }
    return host;
  }

  #url(nameNode: URL, path: string, op: string, parameters: Parameters = {}): URL {
    const { user, token } = this.#credentials;
    const url = new URL(`${nameNode.pathname}${path}`, nameNode);
    const who = token === undefined ? { "user.name": user } : { delegation: token };
    url.search = new URLSearchParams({ op, ...who, ...parameters }).toString();
    return url;
  }

  async #follow(nameNode: URL, redirect: Response, init: RequestInit): Promise<Response> {
    await redirect.body?.cancel();
    const location = redirect.headers.get("location");
    if (location === null || !URL.canParse(location))
      throw new WebHdfsError("the NameNode named no DataNode", { status: redirect.status });
    return this.#send(nameNode, authorityOf(redirect), new URL(location), init);
  }

  async #send(nameNode: URL, dataNode: string | null, url: URL, init: RequestInit): Promise<Response> {
    try {
      return await fetch(url, {
        ...init,
        redirect: "manual",
        // On a connection that was used before, fetch sends a request a second time when the server hangs up, and says
        // nothing: a rename that happened would then look refused.
        ...(init.method === "GET" ? {} : { keepalive: false }),
      });
    } catch (error) {
      throw connectionError(error, {
        nameNode: nameNode.host,
        dataNode,
        timedOut: init.signal?.aborted === true,
      });
    }
  }
}

function excluding(nodes: string): Parameters {
  return nodes === "" ? {} : { excludedatanodes: nodes };
}

function authorityOf(redirect: Response): string {
  return new URL(redirect.headers.get("location") ?? "").host;
}

/** The text of an error; one that breaks off counts as empty, since the status was told. */
function text(response: Response): Promise<string> {
  return response.text().catch(() => "");
}
