import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { codeOf } from "../../../core/errors.ts";
import { rowsOf } from "../../../spark/arrow.ts";
import type { SparkEngine } from "../../../spark/connect/engine.ts";
import type { QueryOptions } from "../../../spark/engine.ts";
import { LakeFolder, observations } from "../../support/lake-files.ts";
import { type TestServer, testServer, withToken } from "./server.ts";

/** Runs for hours on one core. */
const ENDLESS = "SELECT count(*) AS n FROM range(0, 1000000000000, 1, 1)";
/** Runs for hours on every core. */
const GREEDY = "SELECT count(*) AS n FROM range(0, 1000000000000, 1, 64)";
const NOTHING = { snapshot: { files: [] } };

let spark: TestServer;
let engine: SparkEngine;
let folder: LakeFolder;

beforeAll(async () => {
  spark = await testServer({ token: "the right one" });
  folder = await LakeFolder.make();
});
afterAll(async () => {
  await engine.close();
  await spark.remove();
  await folder.remove();
});

const failure = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => new Error("it succeeded"),
    (error: Error) => error,
  );

/** Starts a query and resolves, with its outcome to come, once Spark works on it. */
async function begin(sql: string, options: Partial<QueryOptions> = {}): Promise<{ outcome: Promise<Error> }> {
  const working = Promise.withResolvers<void>();
  const outcome = failure(
    engine.query(sql, { ...NOTHING, ...options, background: true, progress: () => working.resolve() }),
  );
  await Promise.race([working.promise, outcome]);
  return { outcome };
}

async function seconds(action: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await action();
  return (performance.now() - start) / 1000;
}

describe("Spark as the engine", () => {
  test("opens while Spark is not there, refuses queries meanwhile, and works once it is", async () => {
    engine = await spark.open();
    expect(engine.name).toBe("Spark");
    expect(codeOf(await failure(engine.query("SELECT 1 AS one", NOTHING)))).toBe("unavailable");
    await spark.server.start();
    expect(rowsOf(await engine.query("SELECT 1 AS one", { ...NOTHING, background: true }))).toEqual([
      { one: 1 },
    ]);
    const other = await spark.open();
    expect(other.name).toBe("Spark 4.0.0");
    await other.close();
  });

  test("says so when the token is wrong or missing, and never prints it", async () => {
    for (const token of ["the wrong one", undefined]) {
      const error = await failure(spark.open({ remote: withToken(spark.server.remote, token) }));
      expect(codeOf(error)).toBe("unavailable");
      expect(error.message).toContain("refuses the token");
      expect(error.message).not.toContain("wrong one");
    }
  });

  test("frees Spark when a query is cancelled: a small one is quick afterwards", async () => {
    // It wants a free core for each of two tasks.
    const small = () => engine.query("SELECT count(*) AS n FROM range(0, 10, 1, 2)", NOTHING);
    await small();
    for (let round = 0; round < 3; round++) {
      const abort = new AbortController();
      // Aborted once before Spark has said a word, then while it works.
      const { outcome } =
        round === 0
          ? { outcome: failure(engine.query(GREEDY, { ...NOTHING, signal: abort.signal })) }
          : await begin(GREEDY, { signal: abort.signal });
      abort.abort();
      expect(codeOf(await outcome)).toBe("cancelled");
      expect(await seconds(small)).toBeLessThan(30); // hours otherwise
    }
  });

  test("answers two queries at once", async () => {
    const abort = new AbortController();
    const { outcome } = await begin(ENDLESS, { signal: abort.signal });
    const snapshot = await folder.snapshot(observations(2).rows);
    const [first, second] = await Promise.all(
      [snapshot, { files: [] }].map(async (one) =>
        rowsOf(await engine.query("SELECT count(*) AS n FROM observations", { snapshot: one })),
      ),
    );
    expect(first?.[0]?.n).toBeGreaterThan(100);
    expect(second).toEqual([{ n: 0 }]);
    abort.abort();
    expect(codeOf(await outcome)).toBe("cancelled");
  });

  test("sees only what this machine shows it", async () => {
    const path = join(folder.path, "probe.txt");
    await Bun.write(path, "a line of text\n");
    await engine.probe(path, "a line of text");
    for (const [location, text] of [
      [path, "another line"],
      [join(folder.path, "nowhere.txt"), "a line of text"],
    ] as const) {
      const error = await failure(engine.probe(location, text));
      expect(codeOf(error)).toBe("not_shared");
      expect(error.message).toContain("over this lake");
    }
  });

  test("survives a restart of Spark between two queries over the same files", async () => {
    const snapshot = await folder.snapshot(observations(2).rows);
    const count = async () =>
      rowsOf(await engine.query("SELECT count(*) AS n FROM observations", { snapshot, background: true }));
    const wanted = await count();
    await spark.server.stop();
    await spark.server.start();
    expect(await count()).toEqual(wanted);
  });

  test("rejects with unavailable when Spark is killed in mid-job, in bounded time, and resumes once it is back", async () => {
    const snapshot = await folder.snapshot(observations(2).rows);
    const { outcome } = await begin(ENDLESS, { snapshot });
    await spark.server.kill();
    let error: Error | undefined;
    expect(await seconds(async () => (error = await outcome))).toBeLessThan(90);
    expect(codeOf(error)).toBe("unavailable");
    expect(error?.message).not.toMatch(/\n\s+at /);
    await spark.server.start();
    const rows = rowsOf(await engine.query("SELECT count(*) AS n FROM observations", { snapshot }));
    expect(rows[0]?.n).toBeGreaterThan(100);
  });

  test("runs a job on to its end through a server that is frozen for a while", async () => {
    const [server] = await spark.server.processes();
    const snapshot = await folder.snapshot(observations(2).rows);
    const sql = "SELECT count(*) AS n FROM observations CROSS JOIN range(0, 100000000, 1, 1)";
    const working = Promise.withResolvers<void>();
    const running = engine.query(sql, { snapshot, background: true, progress: () => working.resolve() });
    await Promise.race([working.promise, running]);
    process.kill(server!.pid, "SIGSTOP");
    await Bun.sleep(9_000); // longer than the connection's own patience of 7 s
    process.kill(server!.pid, "SIGCONT");
    expect((await running).numRows).toBe(1);
  });
});
