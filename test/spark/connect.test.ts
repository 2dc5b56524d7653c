import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { status } from "@grpc/grpc-js";
import { Table, tableFromArrays, Utf8, vectorFromArray } from "apache-arrow";
import type { Clock } from "../../core/clock.ts";
import { codeOf } from "../../core/errors.ts";
import { silentLogger } from "../../core/log.ts";
import { rowsOf } from "../../spark/arrow.ts";
import { openSpark, type SparkEngine, type SparkOptions } from "../../spark/connect/engine.ts";
import { parseRemote } from "../../spark/connect/remote.ts";
import { Rpc } from "../../spark/connect/rpc.ts";
import { type ExecutePlanRequest, SparkConnectService } from "../../spark/connect/spark_connect_pb.ts";
import type { SnapshotFile } from "../../spark/engine.ts";
import { broken, FakeSpark, type FakeStream, lost, sparkError, subjectOf } from "./fake-spark.ts";

const NOTHING = { snapshot: { files: [] } };
const part = (...n: number[]) => tableFromArrays({ n: Int32Array.from(n) });

let spark: FakeSpark;
let engine: SparkEngine | undefined;
/** Every wait that was asked for; none takes time. */
let waits: number[];
const clock: Clock = {
  now: () => 0,
  async sleep(ms) {
    waits.push(ms);
  },
};

beforeEach(async () => {
  spark = await FakeSpark.start();
  waits = [];
});
afterEach(async () => {
  await engine?.close();
  engine = undefined;
  spark.stop();
});

async function open(changes: Partial<SparkOptions> = {}): Promise<SparkEngine> {
  engine = await openSpark({
    remote: spark.remote,
    clock,
    logger: silentLogger,
    random: () => 0,
    ...changes,
  });
  await settled();
  spark.calls.length = 0;
  return engine;
}

/** Waits until the warm-up has had its answers, so that what follows is the test's own. */
async function settled(): Promise<void> {
  while (
    spark.callsOf("releaseExecute").length < spark.callsOf("executePlan").length ||
    spark.callsOf("executePlan").length === 0
  ) {
    await new Promise((turn) => setImmediate(turn));
  }
}

/** Answers queries with `answer`; views and commands succeed. */
function answering(answer: (answers: FakeStream, request: ExecutePlanRequest) => void | Promise<void>) {
  spark.script.executePlan = (request, answers) =>
    subjectOf(request.plan).kind === "query" ? answer(answers, request) : answers.complete();
}

const failure = (promise: Promise<unknown>): Promise<Error & { hint?: string }> =>
  promise.then(
    () => new Error("it succeeded"),
    (error: Error) => error,
  );

describe("openSpark()", () => {
  test("takes its name from the server, and the server's token along in every call", async () => {
    const { name } = await open({ token: "secret" });
    expect(name).toBe("Spark 4.0.0");
    answering((answers) => answers.batch(part(1)).complete());
    await engine!.query("SELECT 1 AS n", NOTHING);
    expect(spark.calls.length).toBeGreaterThan(0);
    expect(new Set(spark.calls.map(({ authorization }) => authorization))).toEqual(
      new Set(["Bearer secret"]),
    );
  });

  test("refuses a server that refuses the token, and does not print it", async () => {
    spark.script.unary = () => {
      throw sparkError(status.UNAUTHENTICATED, "No authentication token provided");
    };
    const error = await failure(
      openSpark({
        remote: spark.remote,
        token: "secret",
        clock,
        logger: silentLogger,
      }),
    );
    expect(codeOf(error)).toBe("unavailable");
    expect(error.hint).toContain("token");
    expect(JSON.stringify([error.message, error.hint])).not.toContain("secret");
  });

  test("opens without a server, and learns its name once it answers", async () => {
    let away = 3;
    spark.script.unary = (method) => {
      if (method === "config" && away-- > 0) throw broken();
      return undefined;
    };
    engine = await openSpark({ remote: spark.remote, clock, logger: silentLogger });
    expect(engine.name).toBe("Spark");
    await settled();
    expect(engine.name).toBe("Spark 4.0.0");
  });

  test("sends no token to a server that speaks no TLS when TLS is asked for", async () => {
    engine = await openSpark({
      remote: `${spark.remote}/;use_ssl=true;token=secret`,
      clock: {
        now: () => 0,
        sleep: (_ms, signal) => new Promise((resolve) => signal?.addEventListener("abort", () => resolve())),
      },
      logger: silentLogger,
    });
    expect(engine.name).toBe("Spark");
    expect(spark.calls).toEqual([]);
  });
});

describe("Rpc.stream()", () => {
  test("ends a stream that has been open for long as one that the server ended", async () => {
    const rpc = new Rpc(parseRemote(spark.remote), 1_000); // long enough for the first answer on a busy machine
    spark.script.executePlan = (_request, answers) => void answers.batch(part(1)); // and falls silent
    const { executePlan } = SparkConnectService.method;
    const kinds: (string | undefined)[] = [];
    for await (const { responseType } of rpc.stream(executePlan, {}, new AbortController().signal)) {
      kinds.push(responseType.case);
    }
    expect(kinds).toEqual(["arrowBatch"]);
    rpc.close();
  });
});

describe("query()", () => {
  test("puts the batches of the result together and reports a progress that does not fall", async () => {
    await open();
    answering((answers) =>
      answers
        .progress(0, 4)
        .progress(3, 4)
        .progress(3, 8)
        .batch(part(1, 2))
        .batch(part())
        .batch(part(3))
        .complete(),
    );
    const shares: number[] = [];
    const table = await engine!.query("SELECT n FROM t", {
      ...NOTHING,
      progress: (share) => shares.push(share),
    });
    expect(rowsOf(table)).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
    expect(shares).toEqual([0, 0.75, 1]);
  });

  test.each([
    ["a broken stream", broken()],
    ["a stream that was reset", sparkError(status.INTERNAL, "Received RST_STREAM with code 2")],
    ["a stream of a connection that was closed", sparkError(status.INTERNAL, "Received GOAWAY")],
    [
      "a stream whose connection had too many pings",
      sparkError(status.RESOURCE_EXHAUSTED, "Bandwidth exhausted or memory limit exceeded"),
    ],
  ])("takes up %s after the last response, and a finished operation is released", async (_, reason) => {
    await open();
    answering((answers) => {
      answers.batch(part(1)).batch(part(2));
      setImmediate(() => answers.fail(reason));
    });
    const after: (string | undefined)[] = [];
    spark.script.reattachExecute = (last, answers) => {
      after.push(last);
      if (after.length === 1)
        answers.batch(part(3)).end(); // as after two minutes
      else answers.batch(part(4)).complete();
    };
    expect(rowsOf(await engine!.query("SELECT n FROM t", NOTHING))).toEqual([1, 2, 3, 4].map((n) => ({ n })));
    expect(after).toEqual(["response-2", "response-3"]);
    const operation = spark.callsOf("executePlan").at(-1)?.operationId;
    expect(spark.callsOf("reattachExecute").map(({ operationId }) => operationId)).toEqual([
      operation,
      operation,
    ]);
    expect(spark.callsOf("interrupt")).toEqual([]);
  });

  test("sends the request again, as the same operation, when it was lost", async () => {
    await open();
    let asked = 0;
    answering((answers) => (asked++ === 0 ? answers.fail(broken()) : answers.batch(part(7)).complete()));
    expect(rowsOf(await engine!.query("SELECT 7 AS n", NOTHING))).toEqual([{ n: 7 }]);
    const [, first, second] = spark.callsOf("executePlan").map(({ operationId }) => operationId);
    expect(second).toBe(first);
    expect(spark.callsOf("reattachExecute")).toHaveLength(1);
  });

  test("gives up with unavailable after some tries, later in the background", async () => {
    await open();
    answering((answers) => answers.fail(broken()));
    spark.script.reattachExecute = (_last, answers) => answers.fail(broken());
    const tries = async (background: boolean) => {
      spark.calls.length = 0;
      expect(codeOf(await failure(engine!.query("SELECT 1 AS n", { ...NOTHING, background })))).toBe(
        "unavailable",
      );
      return spark.callsOf("reattachExecute").length;
    };
    const soon = await tries(false);
    expect(soon).toBe(2);
    expect(waits.slice(0, 2)).toEqual([200, 200]);
    expect(await tries(true)).toBeGreaterThan(soon);
  });

  test("rejects with unavailable when streams end and end without a result", async () => {
    await open();
    answering((answers) => answers.end());
    spark.script.reattachExecute = (_last, answers) => answers.end();
    expect(codeOf(await failure(engine!.query("SELECT 1 AS n", NOTHING)))).toBe("unavailable");
  });

  test("makes a new session with its settings and view when the server restarted, and asks once more", async () => {
    await open();
    const files = [file("/lake/a.jsonl")];
    const query = () => engine!.query("SELECT count(*) AS n FROM observations", { snapshot: { files } });
    answering((answers) => answers.batch(part(1)).complete());
    await query();
    await query();
    expect(kinds()).toEqual(["view", "query", "query"]); // the view is kept
    const before = spark.callsOf("executePlan").at(-1)?.sessionId;
    spark.calls.length = 0;
    spark.serverSide = "server-2";
    const plain = spark.script.executePlan!;
    spark.script.executePlan = (request, answers) =>
      request.clientObservedServerSideSessionId === "server-2"
        ? plain(request, answers)
        : answers.fail(lost("SESSION_CHANGED"));
    expect(rowsOf(await query())).toEqual([{ n: 1 }]);
    expect(kinds()).toEqual(["query", "view", "query"]);
    const sessions = spark.callsOf("executePlan").map(({ sessionId }) => sessionId);
    expect(sessions[0]).toBe(before);
    expect(sessions[2]).not.toBe(before);
    expect(spark.callsOf("config")).toHaveLength(1);
  });

  test("rejects with unavailable, and does not ask again, when the server lost a query under way", async () => {
    await open();
    answering((answers) => {
      answers.progress(1, 2);
      setImmediate(() => answers.fail(broken()));
    });
    spark.script.reattachExecute = (_last, answers) => answers.fail(lost("SESSION_NOT_FOUND"));
    const error = await failure(engine!.query("SELECT 1 AS n", NOTHING));
    expect(codeOf(error)).toBe("unavailable");
    expect(error.message).toContain("lost the query");
    expect(kinds()).toEqual(["view", "query"]);
  });

  test("interrupts the operation on the server when it is cancelled", async () => {
    await open();
    const abort = new AbortController();
    let gone: Promise<void> | undefined;
    answering((answers) => {
      gone = answers.cancelled;
      answers.progress(0, 2);
    });
    const outcome = failure(
      engine!.query("SELECT 1 AS n", { ...NOTHING, signal: abort.signal, progress: () => abort.abort() }),
    );
    expect(codeOf(await outcome)).toBe("cancelled");
    await gone;
    const operation = spark.callsOf("executePlan").at(-1)?.operationId;
    const interrupts = spark.callsOf("interrupt");
    expect(interrupts.map(({ interrupt }) => (interrupt as { value: unknown }).value)).toEqual([operation]);
  });

  test("interrupts a query only once it has tasks: before, Spark would lose the interrupt", async () => {
    const sleeping = Promise.withResolvers<void>();
    const wake = Promise.withResolvers<void>();
    const slow: Clock = {
      now: () => 0,
      async sleep() {
        sleeping.resolve();
        await wake.promise;
      },
    };
    await open({ clock: slow });
    const abort = new AbortController();
    const stream = Promise.withResolvers<FakeStream>();
    answering((answers) => stream.resolve(answers));
    spark.script.unary = (method) => {
      if (method === "interrupt") void stream.promise.then((answers) => answers.fail(cancelledBySpark));
      return undefined;
    };
    const outcome = failure(engine!.query("SELECT 1 AS n", { ...NOTHING, signal: abort.signal }));
    const answers = await stream.promise;
    abort.abort();
    await sleeping.promise;
    expect(spark.callsOf("interrupt")).toEqual([]);
    answers.progress(0, 2);
    wake.resolve();
    expect(codeOf(await outcome)).toBe("cancelled");
    expect(spark.callsOf("interrupt")).toHaveLength(1);
  });

  test("interrupts again while the server has not got the operation yet", async () => {
    await open();
    const abort = new AbortController();
    answering(() => abort.abort());
    let interrupts = 0;
    spark.script.unary = (method) =>
      method === "interrupt" ? { interruptedIds: ++interrupts < 3 ? [] : ["it"] } : undefined;
    expect(codeOf(await failure(engine!.query("SELECT 1 AS n", { ...NOTHING, signal: abort.signal })))).toBe(
      "cancelled",
    );
    expect(interrupts).toBe(3);
  });

  test("runs queries at the same time in sessions of their own", async () => {
    await open();
    const both = Promise.withResolvers<void>();
    let arrived = 0;
    answering(async (answers) => {
      if (++arrived === 2) both.resolve();
      await both.promise;
      answers.batch(part(1)).complete();
    });
    const run = (path: string) =>
      engine!.query("SELECT 1 AS n FROM observations", { snapshot: { files: [file(path)] } });
    await Promise.all([run("/lake/a.jsonl"), run("/lake/b.jsonl")]);
    const views = spark.callsOf("executePlan").map(({ sessionId }) => sessionId);
    expect(new Set(views).size).toBe(2);
  });

  test("distinguishes errors of the query, of a file, of memory and of Spark", async () => {
    await open();
    const cases: [ReturnType<typeof details>, string, string, string][] = [
      [
        details(["UNRESOLVED_COLUMN", "42703", "no such column\n\tat org.apache.Spark.run(X.scala:1)"]),
        "UNRESOLVED_COLUMN",
        "42703",
        "bad_query",
      ],
      [details(["DIVIDE_BY_ZERO", "22012", "by zero"]), "DIVIDE_BY_ZERO", "22012", "bad_query"],
      [
        details(["", "", "Job aborted"], ["FAILED_READ_FILE.FILE_NOT_EXIST", "KD001", "File is gone"]),
        "",
        "",
        "unavailable",
      ],
      [details(["PATH_NOT_FOUND", "42K03", "no such path"]), "PATH_NOT_FOUND", "42K03", "unavailable"],
      [details(["", "", "Job aborted"], ["", "", "Java heap space"]), "", "", "out_of_memory"],
      [details(["INTERNAL_ERROR", "XX000", "a bug"]), "INTERNAL_ERROR", "XX000", "unavailable"],
      [details(["OPERATION_CANCELED", "HY008", "cancelled"]), "OPERATION_CANCELED", "HY008", "cancelled"],
    ];
    for (const [answer, errorClass, sqlState, code] of cases) {
      answering((answers) =>
        answers.fail(
          sparkError(status.INTERNAL, "Job aborted", {
            errorId: "e",
            ...(errorClass === "" ? {} : { errorClass, sqlState }),
          }),
        ),
      );
      spark.script.unary = (method) => (method === "fetchErrorDetails" ? answer : undefined);
      const error = await failure(engine!.query("SELECT 1 AS n", NOTHING));
      expect([answer.errors.at(-1)?.message, codeOf(error)]).toEqual([answer.errors.at(-1)?.message, code]);
      expect(error.message).not.toContain("org.apache");
      if (code !== "cancelled") {
        expect(error.message).toContain((answer.errors.at(-1)?.message ?? "").split("\n")[0] as string);
        expect(error.message).toContain(errorClass);
        expect(error.message).toContain(sqlState);
      }
    }
  });

  test("after close() is refused, and sessions are ended on the server", async () => {
    await open();
    answering((answers) => answers.batch(part(1)).complete());
    await engine!.query("SELECT 1 AS n", NOTHING);
    await engine!.close();
    expect(spark.callsOf("releaseSession").length).toBeGreaterThan(0);
    expect(codeOf(await failure(engine!.query("SELECT 1 AS n", NOTHING)))).toBe("unavailable");
  });
});

describe("probe()", () => {
  test("accepts the same line, and refuses another one or none", async () => {
    await open();
    answering((answers) =>
      answers.batch(new Table({ value: vectorFromArray(["the line"], new Utf8()) })).complete(),
    );
    await engine!.probe("/lake/probe", "the line");
    for (const [text, answer] of [
      ["another line", null],
      ["the line", sparkError(status.INTERNAL, "none", { errorClass: "PATH_NOT_FOUND", sqlState: "42K03" })],
    ] as const) {
      if (answer !== null) answering((answers) => answers.fail(answer));
      const error = await failure(engine!.probe("/lake/probe", text));
      expect(codeOf(error)).toBe("not_shared");
      expect(error.hint).toContain("HDFS");
    }
  });
});

const cancelledBySpark = sparkError(status.INTERNAL, "[OPERATION_CANCELED] Operation has been canceled.", {
  errorClass: "OPERATION_CANCELED",
  sqlState: "HY008",
});

function file(location: string): SnapshotFile {
  return { location, format: "jsonl", date: "2026-01-01", rows: 1, revisions: 0 };
}

/** What Spark was asked to run, in order. */
function kinds(): string[] {
  return spark.callsOf("executePlan").map(({ plan }) => subjectOf(plan as ExecutePlanRequest["plan"]).kind);
}

/** The details of an error and its causes, each with its class, SQL state and message. */
function details(...errors: [errorClass: string, sqlState: string, message: string][]) {
  return {
    rootErrorIdx: 0,
    errors: errors.map(([errorClass, sqlState, message]) => ({
      message,
      errorTypeHierarchy: ["java.lang.Exception"],
      ...(errorClass === "" ? {} : { sparkThrowable: { errorClass, sqlState } }),
    })),
  };
}
