import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sparkServer, type SparkServer } from "../../../deploy/cluster/spark.ts";
import { systemClock } from "../../../core/clock.ts";
import { silentLogger } from "../../../core/log.ts";
import { openSpark, type SparkEngine, type SparkOptions } from "../../../spark/connect/engine.ts";

/** A real server for one test file, in a folder of its own. */
export interface TestServer {
  server: SparkServer;
  /** A folder that Spark and the test share. */
  folder: string;
  /** An engine on it. Default of `by`: this program's own. */
  open(options?: Partial<SparkOptions>, by?: typeof openSpark): Promise<SparkEngine>;
  /** Ends all of it. */
  remove(): Promise<void>;
}

/** Prepares a server on a port of the tests, 17070 or that of SPARK_TEST_PORT. It is not started yet. */
export async function testServer(
  options: { standalone?: boolean; token?: string; basePort?: number } = {},
): Promise<TestServer> {
  const folder = await mkdtemp(join(tmpdir(), "isobar-spark-"));
  const basePort = Number(process.env.SPARK_TEST_PORT ?? 17070);
  const server = await sparkServer({ folder: join(folder, "server"), basePort, ...options });
  return {
    server,
    folder,
    open: (changes = {}, by = openSpark) =>
      by({
        remote: withToken(server.remote, options.token),
        clock: systemClock,
        logger: silentLogger,
        ...changes,
      }),
    async remove() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** An address with a token in it. */
export function withToken(remote: string, token: string | undefined): string {
  return token === undefined ? remote : `${remote}/;token=${encodeURIComponent(token)}`;
}
