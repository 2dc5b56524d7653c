import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { LakeError } from "../../../core/errors.ts";
import { createLogger, silentLogger } from "../../../core/log.ts";
import { DAY_MS } from "../../../core/time.ts";
import { openHdfsLake, type HdfsLakeOptions } from "../../../jobs/lake/hdfs.ts";
import type { Lake } from "../../../jobs/lake/lake.ts";
import { lakeCode, lakeContract } from "../../contract/lake-contract.ts";
import { FakeWebHdfs, RetryClock, ROOT, type Fault } from "./fake-webhdfs.ts";

const bytes = new TextEncoder().encode("a line of weather\n");
const FILE = "observations/date=2026-01-31/hour=06/file";

let fake: FakeWebHdfs;
let clock: RetryClock;
beforeEach(async () => {
  fake = await FakeWebHdfs.start();
  clock = new RetryClock();
});
afterEach(() => fake.stop());

const open = (changed: Partial<HdfsLakeOptions> = {}): Promise<Lake> =>
  openHdfsLake({
    urls: fake.urls,
    root: ROOT,
    hdfsUri: "hdfs://fake:8020",
    user: "weather",
    clock,
    logger: silentLogger,
    ...changed,
  });

/** The error of a rejected call. */
async function failure(call: Promise<unknown>): Promise<LakeError> {
  const error: unknown = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(LakeError);
  return error as LakeError;
}

const content = (path: string) => fake.files.get(`${ROOT}/${path}`)?.bytes;
const temporaries = () => [...fake.files.keys()].filter((path) => path.includes("/.tmp/"));

lakeContract("hdfs, a fake server", async () => {
  const server = await FakeWebHdfs.start();
  server.pageSize = 100;
  const options = { urls: server.urls, clock: new RetryClock() };
  return {
    lake: await open(options),
    reopen: () => open(options),
    cleanup: () => server.stop(),
  };
});

describe("openHdfsLake()", () => {
  test("sends the user's name, and locates files for engines", async () => {
    const lake = await open();
    expect(fake.calls.every(({ parameters }) => parameters.get("user.name") === "weather")).toBe(true);
    expect(lake.locate("a/b")).toBe(`hdfs://fake:8020${ROOT}/a/b`);
    expect(lake.kind).toBe("hdfs");
  });

  test("takes an address with a path of its own as it is", async () => {
    await open({ urls: fake.urls.map((url) => `${url}/webhdfs/v1/`) });
    expect(fake.folders.has(`${ROOT}/.tmp`)).toBe(true);
  });

  test("refuses roots and addresses it cannot use as `bad_path`", async () => {
    for (const root of ["", "/", "isobar", "/isobar/", "/isobär", "/a//b", "/../a", "/a%20b"])
      expect(await lakeCode(open({ root }))).toBe("bad_path");
    for (const url of ["namenode:9870", "hdfs://namenode", "http://me@namenode", "http://n?op=x", ""])
      expect(await lakeCode(open({ urls: [url] }))).toBe("bad_path");
  });

  test("deletes temporary files older than a day, and no younger ones", async () => {
    await open();
    fake.files.set(`${ROOT}/.tmp/old`, { bytes, modified: clock.now() - DAY_MS - 1 });
    fake.files.set(`${ROOT}/.tmp/young`, { bytes, modified: clock.now() - DAY_MS + 1 });
    await open();
    expect(temporaries()).toEqual([`${ROOT}/.tmp/young`]);
  });

  test("says which permission is missing, as `unwritable`", async () => {
    const message = "Permission denied: user=weather\n\tat org.apache.hadoop.Some.method(Some.java:1)";
    fake.fail({ op: "MKDIR" }, { status: 403, exception: "AccessControlException", message });
    const error = await failure(open());
    expect(error.code).toBe("unwritable");
    expect(error.message).toBe(
      `Cannot open ${ROOT} in HDFS: AccessControlException: Permission denied: user=weather`,
    );
    expect(error.hint).toContain("chown");
  });
});

describe("a token", () => {
  const token = "SECRETtoken";

  test("is sent instead of the user's name, on every request", async () => {
    const lake = await open({ token });
    await lake.put([{ path: FILE, bytes }]);
    await lake.read(FILE);
    await lake.list("observations");
    await lake.delete([FILE]);
    for (const { parameters } of fake.calls) {
      expect(parameters.get("delegation")).toBe(token);
      expect(parameters.has("user.name")).toBe(false);
    }
  });

  test("stays out of errors and the log", async () => {
    let log = "";
    const logger = createLogger({ level: "debug", format: "json", write: (line) => (log += line) });
    const lake = await open({ token, logger });
    await lake.put([{ path: FILE, bytes }]);
    const message = `no such host: http://node/webhdfs/v1/x?op=CREATE&delegation=${token}&a=b`;
    fake.fail({ node: "datanode" }, { status: 500, exception: "IOException", message }, 100);
    const errors = [await failure(lake.read(FILE)), await failure(lake.put([{ path: "b", bytes }]))];
    await fake.kill("namenode-1");
    errors.push(
      await failure(lake.read(FILE)),
      await failure(lake.list("a")),
      await failure(lake.delete(["a"])),
    );
    expect(log).toContain("avoided");
    for (const text of [log, ...errors.map((error) => Bun.inspect(error))]) expect(text).not.toContain(token);
  });
});

describe("put()", () => {
  const put = (lake: Lake) => lake.put([{ path: FILE, bytes }]);

  const harmless: [string, { node?: string; op: string }, Fault][] = [
    ["MKDIRS is dropped", { op: "MKDIR" }, "drop"],
    ["MKDIRS is done, but its answer is lost", { op: "MKDIR" }, "lose"],
    [
      "the NameNode answers a write with 503 and no body",
      { node: "namenode", op: "CREATE" },
      { status: 503 },
    ],
    ["the NameNode drops a write", { node: "namenode", op: "CREATE" }, "drop"],
    [
      "the DataNode answers a write with 503 and no body",
      { node: "datanode", op: "CREATE" },
      { status: 503 },
    ],
    ["the DataNode drops a write", { node: "datanode", op: "CREATE" }, "drop"],
    ["the DataNode writes, but its answer is lost", { node: "datanode", op: "CREATE" }, "lose"],
    ["the DataNode keeps half of a file and says nothing", { node: "datanode", op: "CREATE" }, "short"],
    ["the length cannot be told", { op: "GETFILESTATUS" }, { status: 500 }],
    ["RENAME is dropped", { op: "RENAME" }, "drop"],
    ["RENAME is done, but its answer is lost", { op: "RENAME" }, "lose"],
    ["RENAME answers 503", { op: "RENAME" }, { status: 503 }],
    ["the NameNode is in safe mode", { op: "RENAME" }, { status: 403, exception: "SafeModeException" }],
    ["the NameNode asks to come again", { op: "MKDIR" }, { status: 403, exception: "RetriableException" }],
  ];
  for (const [what, wanted, fault] of harmless) {
    test(`goes on when ${what}`, async () => {
      const lake = await open();
      const before = fake.calls.length;
      fake.fail(wanted, fault);
      await put(lake);
      expect(content(FILE)).toEqual(bytes);
      expect(await lake.read(FILE)).toEqual(bytes);
      expect(fake.calls.length - before).toBeGreaterThan(6);
    });
  }

  test("writes by one request, checks the length, renames, and leaves nothing", async () => {
    const lake = await open();
    fake.calls.length = 0;
    await put(lake);
    const ops = fake.calls.map(({ node, op }) => `${node.slice(0, -2)} ${op}`);
    expect(ops.sort()).toEqual([
      "datanode CREATE",
      "namenode CREATE",
      "namenode GETFILESTATUS",
      "namenode MKDIR",
      "namenode RENAME",
    ]);
    expect(temporaries()).toEqual([]);
    fake.calls.length = 0;
    await lake.put([{ path: `${FILE}-2`, bytes }]);
    expect(fake.count({ op: "MKDIR" })).toBe(0);
  });

  test("gives up on a silent server for each try, and in the end for good", async () => {
    const lake = await open();
    fake.fail({ node: "namenode", op: "CREATE" }, "hang");
    fake.fail({ node: "datanode", op: "CREATE" }, "hang");
    fake.fail({ op: "RENAME" }, "hang");
    const done = put(lake);
    for (const count of [1, 2, 3]) {
      await fake.hung(count);
      clock.timeOut(5_000);
    }
    await done;
    expect(content(FILE)).toEqual(bytes);

    fake.fail({ node: "namenode", op: "CREATE" }, "hang");
    const failed = failure(lake.put([{ path: "b", bytes }]));
    await fake.hung(4);
    clock.timeOut(60_000);
    expect((await failed).code).toBe("unavailable");
    expect((await failed).message).toContain("did not answer in time");
  });

  test("avoids a dead DataNode by the address of its data port, from then on", async () => {
    const lake = await open();
    await fake.kill("datanode-1");
    fake.calls.length = 0;
    await put(lake);
    const writes = fake.calls.filter(({ node, op }) => node.startsWith("namenode") && op === "CREATE");
    expect(writes.map(({ parameters }) => parameters.get("excludedatanodes"))).toEqual([
      null,
      "datanode-1.example:1",
    ]);
    fake.calls.length = 0;
    await lake.put([{ path: "b", bytes }]);
    expect(fake.count({ node: "namenode", op: "CREATE" })).toBe(1);
    expect(content("b")).toEqual(bytes);
    clock.timeOut(300_000);
    await lake.put([{ path: "c", bytes }]);
    expect(fake.count({ node: "namenode", op: "CREATE" })).toBe(3);
  });

  test("avoids it by its host where the NameNode does not list its DataNodes, and takes it again when no other is left", async () => {
    const lake = await open();
    fake.jmx = false;
    fake.fail({ node: "datanode", op: "CREATE" }, "drop");
    fake.calls.length = 0;
    await put(lake);
    const writes = fake.calls.filter(({ node, op }) => node.startsWith("namenode") && op === "CREATE");
    expect(writes.map(({ parameters }) => parameters.get("excludedatanodes"))).toEqual([
      null,
      "127.0.0.1",
      null,
    ]);
  });

  test("with no DataNode at all is `unavailable` when its time is up", async () => {
    const lake = await open();
    await fake.kill("datanode-1");
    await fake.kill("datanode-2");
    const start = clock.now();
    expect((await failure(put(lake))).code).toBe("unavailable");
    expect(clock.now() - start).toBeGreaterThan(25_000);
    expect(clock.now() - start).toBeLessThan(30_000);
    expect(fake.files.size).toBe(0);
  });

  const refused: [string, string, string][] = [
    ["NSQuotaExceededException", "the names are used up", "full"],
    ["DSQuotaExceededException", "the room is used up", "full"],
    ["AccessControlException", "Permission denied", "unwritable"],
    ["InvalidToken", "token is expired", "unwritable"],
  ];
  for (const [exception, message, code] of refused) {
    test(`is \`${code}\` for ${exception}, from either node, and waits for nothing`, async () => {
      for (const node of ["namenode", "datanode"]) {
        const lake = await open();
        const start = clock.now();
        fake.fail({ node, op: "CREATE" }, { status: 403, exception, message }, node === "namenode" ? 1 : 2);
        const error = await failure(lake.put([{ path: "b", bytes }]));
        expect(error.code).toBe(code as LakeError["code"]);
        expect(error.message).toBe(`Cannot write b in HDFS: ${exception}: ${message}`);
        expect(clock.now() - start).toBeLessThanOrEqual(2_000);
      }
    });
  }

  test("names the disks when no DataNode takes a file, and is `full` where that is sure", async () => {
    const placed = (excluded: string) =>
      `File /x could only be written to 0 of the 1 minReplication nodes. There are 2 datanode(s) running and ${excluded} node(s) are excluded in this operation.\n\tat x`;
    const notFound = "Failed to find datanode, suggest to check cluster health. excludeDatanodes=null";
    const maybe = "no DataNode takes it: their disks are full, or they do not answer (IOException: F";
    const cases: ["namenode" | "datanode", string, LakeError["code"], string][] = [
      ["datanode", placed("no"), "full", "no DataNode has the space for it (IOException: File /x could"],
      ["datanode", placed("0"), "full", "no DataNode has the space for it (IOException: File /x could"],
      ["datanode", placed("2"), "unavailable", maybe],
      ["namenode", notFound, "unavailable", maybe],
      ["datanode", placed("1"), "unavailable", "IOException: File /x could"],
    ];
    const lake = await open();
    for (const [node, message, code, why] of cases) {
      fake.fail({ node, op: "CREATE" }, { status: 403, exception: "IOException", message }, Infinity);
      const error = await failure(put(lake));
      expect(error.code).toBe(code);
      expect(error.message).toStartWith(`Cannot write ${FILE} in HDFS: ${why}`);
      expect(error.hint?.includes("dfsadmin -report") ?? false).toBe(!why.startsWith("IOException"));
      fake.heal();
    }
  });

  test("makes a folder anew that was dropped for being empty in between", async () => {
    const lake = await open();
    await put(lake);
    fake.files.delete(`${ROOT}/${FILE}`);
    fake.folders.delete(`${ROOT}/${FILE}`.replace(/\/[^/]*$/, ""));
    await put(lake);
    expect(content(FILE)).toEqual(bytes);
    expect(temporaries()).toEqual([]);
  });
});

describe("create()", () => {
  const create = (lake: Lake) => lake.create("commits/topic/0/1.json", bytes);
  const COMMIT = "commits/topic/0/1.json";

  test("is `exists` for a taken name, leaves the file as it is and no temporary", async () => {
    const lake = await open();
    await create(lake);
    expect(await lakeCode(lake.create(COMMIT, new Uint8Array(5)))).toBe("exists");
    expect(content(COMMIT)).toEqual(bytes);
    expect(temporaries()).toEqual([]);
  });

  for (const fault of ["lose", "hang"] as const) {
    test(`is \`unclear\` when the answer of its RENAME is lost and another try is refused (${fault})`, async () => {
      const lake = await open();
      await create(lake);
      fake.fail({ op: "RENAME" }, fault);
      const error = failure(create(lake));
      if (fault === "hang") {
        await fake.hung(1);
        clock.timeOut(5_000);
      }
      expect((await error).code).toBe("unclear");
      expect(temporaries()).toEqual([]);
    });
  }

  test("is `unclear` when it happened and the source is gone at the next try", async () => {
    const lake = await open();
    fake.fail({ op: "RENAME" }, "lose");
    expect(await lakeCode(create(lake))).toBe("unclear");
    expect(content(COMMIT)).toEqual(bytes);
  });

  test("is `unclear` when the NameNode stays away after a lost answer", async () => {
    const lake = await open();
    fake.fail({ op: "RENAME" }, "lose");
    fake.fail({ op: "RENAME" }, { status: 503 }, 1_000);
    expect(await lakeCode(create(lake))).toBe("unclear");
  });

  test("succeeds when its RENAME was dropped before it happened", async () => {
    const lake = await open();
    fake.fail({ op: "RENAME" }, "drop");
    await create(lake);
    expect(content(COMMIT)).toEqual(bytes);
  });

  test("is `unavailable`, and surely did nothing, when the NameNode is away from the start", async () => {
    const lake = await open();
    await fake.kill("namenode-1");
    expect(await lakeCode(create(lake))).toBe("unavailable");
    expect(fake.files.size).toBe(0);
  });

  test("is `exists`, not `unclear`, after refusals that say that nothing happened", async () => {
    const lake = await open();
    await create(lake);
    fake.fail({ op: "RENAME" }, { status: 403, exception: "SafeModeException" });
    expect(await lakeCode(create(lake))).toBe("exists");
  });

  test("sends its RENAME on a connection of its own: on a used one fetch repeats it in silence", async () => {
    const lake = await open();
    await lake.list("commits"); // leaves a connection that is kept
    fake.calls.length = 0;
    fake.fail({ op: "RENAME" }, "lose", 2);
    expect(await lakeCode(create(lake))).toBe("unclear");
    // Two lost ones and the one that is told 404.
    expect(fake.count({ op: "RENAME" })).toBe(3);
  });
});

describe("read()", () => {
  const faults: [string, { node: string }, Fault][] = [
    ["the NameNode answers 503 and no body", { node: "namenode" }, { status: 503 }],
    ["the NameNode drops it", { node: "namenode" }, "drop"],
    ["the DataNode answers 503 and no body", { node: "datanode" }, { status: 503 }],
    ["the DataNode drops it", { node: "datanode" }, "drop"],
    ["the DataNode hangs up in the middle", { node: "datanode" }, "cut"],
    ["the DataNode sends half of it as all", { node: "datanode" }, "short"],
  ];
  for (const [what, wanted, fault] of faults) {
    test(`returns the whole file when ${what}`, async () => {
      const lake = await open();
      await lake.put([{ path: FILE, bytes }]);
      fake.calls.length = 0;
      fake.fail({ ...wanted, op: "OPEN" }, fault, 2);
      expect(await lake.read(FILE)).toEqual(bytes);
      expect(fake.count({ op: "OPEN" })).toBeGreaterThan(2);
    });
  }

  test("turns to another DataNode when one is dead or silent", async () => {
    const lake = await open();
    await lake.put([{ path: FILE, bytes }]);
    fake.fail({ node: "datanode-1", op: "OPEN" }, "hang");
    const read = lake.read(FILE);
    await fake.hung(1);
    clock.timeOut(5_000);
    expect(await read).toEqual(bytes);
    clock.timeOut(300_000);
    await fake.kill("datanode-1");
    expect(await lake.read(FILE)).toEqual(bytes);
    expect(fake.calls.at(-1)?.node).toBe("datanode-2");
  });

  test("is `missing` at once for a file that is not there, `unavailable` when it stays short", async () => {
    const lake = await open();
    const start = clock.now();
    expect(await lakeCode(lake.read(FILE))).toBe("missing");
    expect(clock.now()).toBe(start);
    await lake.put([{ path: FILE, bytes }]);
    fake.fail({ node: "datanode", op: "OPEN" }, "short", 1_000);
    expect((await failure(lake.read(FILE))).message).toContain("it ended after 9 of 18 bytes");
  });
});

describe("list() and delete()", () => {
  test("list() walks the pages of a large folder", async () => {
    const lake = await open();
    const names = Array.from({ length: 10 }, (_, i) => `part+${i}`);
    await lake.put(names.map((name) => ({ path: `a/${name}`, bytes })));
    fake.calls.length = 0;
    expect((await lake.list("a")).map(({ name }) => name)).toEqual(names);
    expect(fake.count({ op: "LISTSTATUS_BATCH" })).toBe(4);
  });

  test("list() is `unavailable`, not empty, when the NameNode is away or says something else", async () => {
    const lake = await open();
    for (const status of [503, 404, 400]) {
      fake.fail({ op: "LISTSTATUS_BATCH" }, { status }, status === 503 ? 1_000 : 1);
      expect(await lakeCode(lake.list("a"))).toBe("unavailable");
      fake.heal();
    }
  });

  test("list() starts again when its answer breaks off", async () => {
    const lake = await open();
    await lake.put([{ path: "a/b", bytes }]);
    fake.fail({ op: "LISTSTATUS_BATCH" }, "cut");
    expect(await lake.list("a")).toEqual([{ name: "b", folder: false }]);
  });

  test("delete() is repeated after a lost answer, and drops folders that it emptied", async () => {
    const lake = await open();
    await lake.put(["a/b/1", "a/b/2", "a/c"].map((path) => ({ path, bytes })));
    fake.fail({ op: "DELETE" }, "lose");
    await lake.delete(["a/b/1", "a/b/2"]);
    expect(fake.folders.has(`${ROOT}/a/b`)).toBe(false);
    expect(await lake.list("a")).toEqual([{ name: "c", folder: false }]);
  });
});

describe("several NameNodes", () => {
  beforeEach(async () => {
    await fake.stop();
    fake = await FakeWebHdfs.start(2);
  });

  const work = async (lake: Lake) => {
    await lake.put([{ path: FILE, bytes }]);
    await lake.create("entry", bytes);
    expect(await lake.read(FILE)).toEqual(bytes);
    expect(await lake.list("observations")).toHaveLength(1);
    await lake.delete(["entry"]);
  };

  test("a standby is left for the active one, which is kept", async () => {
    fake.fail({ node: "namenode-1" }, { status: 403, exception: "StandbyException" }, 1_000);
    const lake = await open();
    await work(lake);
    expect(fake.count({ node: "namenode-1" })).toBe(1);
  });

  test("a dead one is left", async () => {
    await fake.kill("namenode-1");
    await work(await open());
  });

  test("a fail-over is waited for while both are standbys", async () => {
    const lake = await open();
    fake.fail({ node: "namenode-1" }, { status: 403, exception: "StandbyException" }, 1_000);
    fake.fail({ node: "namenode-2" }, { status: 403, exception: "StandbyException" }, 3);
    await work(lake);
  });

  test("create() over a fail-over in mid-RENAME is `unclear`", async () => {
    const lake = await open();
    fake.fail({ node: "namenode-1", op: "RENAME" }, "lose");
    expect(await lakeCode(lake.create("entry", bytes))).toBe("unclear");
    expect(content("entry")).toEqual(bytes);
  });

  test("with none in reach every call is `unavailable`", async () => {
    const lake = await open();
    await fake.kill("namenode-1");
    await fake.kill("namenode-2");
    const calls = [
      () => lake.put([{ path: "b", bytes }]),
      () => lake.create("b", bytes),
      () => lake.read("b"),
      () => lake.list("b"),
      () => lake.delete(["b"]),
      () => open(),
    ];
    for (const call of calls) expect(await lakeCode(call())).toBe("unavailable");
  });
});
