import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../../core/clock.ts";
import { silentLogger } from "../../../core/log.ts";
import { hdfsServer, type HdfsServer } from "../../../deploy/cluster/hdfs.ts";
import { openHdfsLake, type HdfsLakeOptions } from "../../../jobs/lake/hdfs.ts";
import type { Lake } from "../../../jobs/lake/lake.ts";

/** Where the ports of this folder's servers begin. */
const BASE_PORT = 25_000;

/** A real HDFS in a folder of its own, for one file of tests. */
export class TestHdfs {
  readonly server: HdfsServer;
  readonly folder: string;

  private constructor(server: HdfsServer, folder: string) {
    this.server = server;
    this.folder = folder;
  }

  /** @param basePort where its ports begin: no other test starts a server there */
  static async start(dataNodes: 1 | 3, basePort = BASE_PORT): Promise<TestHdfs> {
    const folder = await mkdtemp(join(tmpdir(), "isobar-hdfs-"));
    const server = await hdfsServer({ folder: join(folder, "hdfs"), dataNodes, basePort });
    const hdfs = new TestHdfs(server, folder);
    try {
      await server.start();
    } catch (error) {
      await hdfs.stop();
      throw error;
    }
    return hdfs;
  }

  /** Opens a lake below `/isobar`. */
  open(dataset: string, changed: Partial<HdfsLakeOptions> = {}): Promise<Lake> {
    return openHdfsLake({
      urls: [this.server.webUrl],
      root: `/isobar/${dataset}`,
      hdfsUri: this.server.uri,
      user: this.server.user,
      clock: systemClock,
      logger: silentLogger,
      ...changed,
    });
  }

  /** One request of the REST API by the superuser, beside the code under test. */
  async rest(method: "GET" | "PUT" | "DELETE", path: string, query: string): Promise<Response> {
    const url = `${this.server.webUrl}/webhdfs/v1${path}?user.name=${this.server.user}&${query}`;
    return fetch(url, { method });
  }

  async stop(): Promise<void> {
    await this.server.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}
