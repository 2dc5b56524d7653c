import { describe, expect, test } from "bun:test";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { codeOf, messageOf } from "../../core/errors.ts";
import { sourceLine } from "../../spark/connect/generate.ts";
import { judgedPlan, observationsPlan, parsedViews, queryPlan, urlOf } from "../../spark/connect/plans.ts";
import { parseRemote } from "../../spark/connect/remote.ts";
import { oneQuery } from "../../spark/connect/statement.ts";
import type { SnapshotFile } from "../../spark/engine.ts";

function thrown(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe("parseRemote()", () => {
  const plain = { host: "spark", port: 15002, tls: false, token: null, user: "isobar" };

  test("reads host, port and parameters as Spark's clients write them", () => {
    expect(parseRemote("sc://spark")).toEqual(plain);
    expect(parseRemote("sc://spark:7/")).toEqual({ ...plain, port: 7 });
    expect(parseRemote("sc://[::1]:7/;token=a%3Bb")).toEqual({
      ...plain,
      host: "[::1]",
      port: 7,
      token: "a;b",
    });
    expect(parseRemote("sc://spark/;use_ssl=true;user_id=me;token=t")).toEqual({
      ...plain,
      tls: true,
      token: "t",
      user: "me",
    });
    expect(parseRemote("sc://spark", { user: "me" }).user).toBe("me");
  });

  test("implies TLS from a token, except on loopback", () => {
    expect(parseRemote("sc://spark", { token: "t" }).tls).toBe(true);
    for (const host of ["localhost", "127.0.0.1", "[::1]"])
      expect(parseRemote(`sc://${host}`, { token: "t" }).tls).toBe(false);
  });

  test("refuses a token that would travel unencrypted, and prints none", () => {
    for (const host of ["spark", "127.0.0.1.example.org", "192.168.0.1", "localhost.example.org"]) {
      const error = thrown(() => parseRemote(`sc://${host}/;use_ssl=false;token=secret`));
      expect(codeOf(error)).toBe("bad_setting");
      expect(messageOf(error)).toContain("unencrypted");
      expect(messageOf(error)).not.toContain("secret");
    }
  });

  test("refuses what is no address", () => {
    for (const text of [
      "",
      "spark:15002",
      "http://spark",
      "sc://",
      "sc://spark:0",
      "sc://spark:65536",
      "sc://spark/path",
      "sc://spark/;token",
      "sc://spark/;color=red",
      "sc://spark/;use_ssl=yes",
      "sc://spark/;token=%zz",
      "sc://a b:1:2",
    ]) {
      expect([text, codeOf(thrown(() => parseRemote(text)))]).toEqual([text, "bad_setting"]);
    }
  });
});

describe("oneQuery()", () => {
  test("takes one query and leaves the semicolon at its end away", () => {
    for (const sql of [
      "SELECT 1",
      "-- a; b\nWITH x AS (SELECT 1) SELECT * FROM x",
      "(select ';')",
      "/* ; */ FROM x",
      'VALUES (1), ("a;")',
    ]) {
      expect(oneQuery(sql, {})).toBe(sql);
      expect(oneQuery(`${sql} ; -- end;`, {})).toBe(`${sql} `);
    }
  });

  test("refuses anything else", () => {
    for (const sql of [
      "",
      " ; ",
      "-- SELECT 1",
      "SELECT 1; SELECT 2",
      "DROP VIEW x",
      "INSERT INTO x SELECT 1",
      "SELECTED",
      "SET a = 1",
    ]) {
      expect([sql, codeOf(thrown(() => oneQuery(sql, {})))]).toEqual([sql, "bad_query"]);
    }
    expect(codeOf(thrown(() => oneQuery("SELECT :a", {})))).toBe("bad_query");
    expect(codeOf(thrown(() => oneQuery("SELECT 1", { a: 1 })))).toBe("bad_query");
  });
});

describe("plans", () => {
  const file = (location: string, changes: Partial<SnapshotFile> = {}): SnapshotFile => ({
    location,
    format: "jsonl",
    date: "2026-01-01",
    rows: 1,
    revisions: 0,
    ...changes,
  });
  /** Names of the relations of files in a plan, and the paths of each. */
  const reads = (plan: unknown): Record<string, string[]> => {
    const found: Record<string, string[]> = {};
    JSON.stringify(
      plan,
      (
        _key,
        value: {
          alias?: string;
          input?: { relType: { value: { readType: { value: { paths: string[] } } } } };
        },
      ) => {
        if (value?.alias !== undefined)
          found[value.alias] = value.input?.relType.value.readType.value.paths ?? [];
        return value;
      },
    );
    return found;
  };

  test("queryPlan() gives arguments the types that the embedded engine gives them", () => {
    const given = { t: "x", b: true, i: 2 ** 31 - 1, l: 2 ** 31, d: 0.5, z: -0, big: 2 ** 60, n: null };
    const { opType } = queryPlan("SELECT 1", given) as {
      opType: { value: { relType: { value: { namedArguments: object } } } };
    };
    const types = Object.entries(opType.value.relType.value.namedArguments).map(([name, { exprType }]) => [
      name,
      exprType.value.literalType.case,
    ]);
    expect(Object.fromEntries(types)).toEqual({
      t: "string",
      b: "boolean",
      i: "integer",
      l: "long",
      d: "double",
      z: "double",
      big: "double",
      n: "null",
    });
  });

  test("observationsPlan() searches the newest revision on the days that have revisions only", () => {
    const files = [
      file("/lake/a.jsonl"),
      file("hdfs://namenode:8020/lake/b.parquet", { format: "parquet" }),
      file("/lake/c.jsonl", { date: "2026-01-02" }),
      file("/lake/d.parquet", { date: "2026-01-02", format: "parquet", revisions: 1 }),
    ];
    expect(reads(observationsPlan({ files }))).toEqual({
      plain_jsonl: ["file:///lake/a.jsonl"],
      plain_parquet: ["hdfs://namenode:8020/lake/b.parquet"],
      revised_jsonl: ["file:///lake/c.jsonl"],
      revised_parquet: ["file:///lake/d.parquet"],
    });
    expect(reads(observationsPlan({ files: [] }))).toEqual({});
    const judged = files.filter(({ format }) => format === "parquet");
    expect(reads(judgedPlan({ files: judged }))).toEqual({
      plain_parquet: ["hdfs://namenode:8020/lake/b.parquet"],
      revised_parquet: ["file:///lake/d.parquet"],
    });
  });

  test("observationsPlan() reads files that lack the same retracted rows together, and leaves these out", () => {
    const retracted = [{ source: "it's", first: 3, last: 7 }];
    const files = [
      file("/lake/a.jsonl"),
      file("/lake/b.jsonl", { retracted }),
      file("/lake/c.jsonl", { retracted }),
    ];
    const plan = observationsPlan({ files });
    expect(reads(plan)).toEqual({
      plain_jsonl: ["file:///lake/a.jsonl"],
      plain1_jsonl: ["file:///lake/b.jsonl", "file:///lake/c.jsonl"],
    });
    const text = JSON.stringify(plan, (_, value: unknown) =>
      typeof value === "bigint" ? String(value) : value,
    );
    expect(text).toContain("plain1_jsonl WHERE NOT ((source = 'it\\\\'s' AND log_offset BETWEEN 3 AND 7))");
  });

  test("parsedViews() stand for the JSONL files of a snapshot where these are many", () => {
    const files = Array.from({ length: 31 }, (_, i) => file(`/lake/${i}.jsonl`));
    const parquet = file("/lake/z.parquet", { format: "parquet" });
    expect(parsedViews({ files: [...files, parquet] })).toEqual([]);
    const many = { files: [...files, parquet, file("/lake/r.jsonl", { date: "2026-01-02", revisions: 1 })] };
    const names = parsedViews(many).map(({ name }) => name);
    expect(names).toEqual(["plain_jsonl", "revised_jsonl"]);
    expect(reads(observationsPlan(many, names))).toEqual({ plain_parquet: ["file:///lake/z.parquet"] });
  });

  test("take names with pattern characters as they are, and refuse those that Spark leaves out in silence", () => {
    const paths = reads(observationsPlan({ files: [file("/lake/[a]{b}*?\\.jsonl")] }));
    expect(paths.plain_jsonl).toEqual(["file:///lake/\\[a\\]\\{b\\}\\*\\?\\\\.jsonl"]);
    for (const name of ["_a.jsonl", ".a.jsonl"]) {
      expect(codeOf(thrown(() => observationsPlan({ files: [file(`/lake/${name}`)] })))).toBe("unavailable");
    }
    expect(urlOf("hdfs://x/y")).toBe("hdfs://x/y");
  });
});

test("the generated code is that of the .proto files beside it: else run `bun run proto`", async () => {
  const folder = join(import.meta.dir, "../../spark/connect");
  const protos = (await readdir(folder)).filter((name) => name.endsWith(".proto"));
  expect(protos.length).toBeGreaterThan(0);
  for (const name of protos) {
    const proto = await Bun.file(join(folder, name)).text();
    const code = await Bun.file(join(folder, name.replace(/\.proto$/, "_pb.ts"))).text();
    expect([name, code.split("\n", 1)[0]]).toEqual([name, sourceLine(proto)]);
  }
});
