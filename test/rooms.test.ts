import { describe, expect, test } from "bun:test";
import { undocumented } from "./documented.ts";
import {
  codeFiles,
  crowdedFolders,
  folderCycles,
  forbiddenImports,
  type Import,
  importCycles,
  importsOf,
  privateImports,
  ROOMS,
  unexpectedNames,
} from "./rooms.ts";

const specifiers = (text: string, path = "jobs/a.ts"): string[] =>
  importsOf(path, text).map((found) => found.specifier);
const edge = (from: string, file: string): Import => ({ from, specifier: file, file });

describe("importsOf()", () => {
  test("sees every way to name a module, type-only ones included", () => {
    const text = `
      import "./effect.ts";
      import value from "./value.ts";
      import type { T } from "./type.ts";
      import { type U } from "./inline-type.ts";
      export { v } from "./export.ts";
      export type { W } from "./export-type.ts";
      export * from "./star.ts";
      const lazy = () => import("./lazy.ts");
      type X = import("./type-call.ts").X;
      const old = require("./old.ts");
      import older = require("./older.ts");
    `;
    expect(specifiers(text)).toEqual(
      [
        "effect",
        "value",
        "type",
        "inline-type",
        "export",
        "export-type",
        "star",
        "lazy",
        "type-call",
        "old",
        "older",
      ].map((name) => `./${name}.ts`),
    );
  });

  test("is not misled by strings, comments and JSX text", () => {
    const text = `
      // import "./comment.ts";
      const quoted = 'import "./string.ts"';
      const page = <p>don't import "./text.ts"</p>;
      import "./real.ts";
    `;
    expect(specifiers(text, "views/a.tsx")).toEqual(["./real.ts"]);
  });

  test("resolves relative names from the importing file and leaves packages alone", () => {
    expect(importsOf("jobs/log/a.ts", 'import "../../core/b.ts"; import "elysia";')).toEqual([
      { from: "jobs/log/a.ts", specifier: "../../core/b.ts", file: "core/b.ts" },
      { from: "jobs/log/a.ts", specifier: "elysia", file: null },
    ]);
  });
});

test("privateImports() finds modules inside a package that it does not offer, outside of the file for them", () => {
  const open = (name: string) => name === "@kitajs/html";
  const of = (from: string, specifier: string) => privateImports([{ from, specifier, file: null }], open);
  expect(of("jobs/log/kafka-wire.ts", "kafkajs/src/cluster/index.js")).toEqual([
    `jobs/log/kafka-wire.ts imports "kafkajs/src/cluster/index.js", a private module: only a file …-internals.ts may`,
  ]);
  expect(of("jobs/log/a.ts", "@a/b/lib/c.js")).toHaveLength(1);
  for (const from of ["jobs/log/kafka-internals.ts", "test/jobs/log/kafka-internals.test.ts"])
    expect(of(from, "kafkajs/src/cluster/index.js")).toEqual([]);
  for (const specifier of [
    "kafkajs",
    "@a/b",
    "node:fs/promises",
    "kafkajs/package.json",
    "@kitajs/html/suspense",
  ])
    expect(of("jobs/log/a.ts", specifier)).toEqual([]);
});

describe("forbiddenImports()", () => {
  test.each([
    ["spark/a.ts", "core/b.ts"],
    ["jobs/a.ts", "spark/b.ts"],
    ["jobs/log/a.ts", "jobs/lake/b.ts"],
    ["views/a.tsx", "core/b.ts"],
    ["server/a.ts", "views/b.tsx"],
    ["test/a.ts", "server/b.ts"],
  ])("lets %s import %s", (from, file) => {
    expect(forbiddenImports([edge(from, file)])).toEqual([]);
  });

  test.each([
    ["core/a.ts", "jobs/b.ts"],
    ["spark/a.ts", "jobs/b.ts"],
    ["jobs/a.ts", "server/b.ts"],
    ["views/a.tsx", "server/b.ts"],
    ["jobs/a.ts", "test/b.ts"],
  ])("does not let %s import %s", (from, file) => {
    expect(forbiddenImports([edge(from, file)])).toHaveLength(1);
  });

  test("lets core import no package and no built-in", () => {
    const imports = (path: string): Import[] => importsOf(path, 'import "node:fs";');
    expect(forbiddenImports(imports("core/a.ts"))).toEqual([
      'core/a.ts imports "node:fs": core imports no package and no built-in',
    ]);
    expect(forbiddenImports(imports("jobs/a.ts"))).toEqual([]);
  });

  test("has a line in CONTRIBUTING.md for every room", async () => {
    const guide = await Bun.file(`${import.meta.dir}/../CONTRIBUTING.md`).text();
    for (const [name, room] of Object.entries(ROOMS)) {
      const allowed = room.rooms === "*" ? "all" : room.rooms.join(", ") || "nothing of ours";
      expect(guide).toMatch(new RegExp(`^\\| \`${name}/\` +\\| .* \\| ${allowed} +\\|$`, "m"));
    }
  });
});

describe("importCycles()", () => {
  test("finds a circle however long, and one that a type closes", () => {
    const imports = [
      edge("a.ts", "b.ts"),
      ...importsOf("b.ts", 'import type { C } from "./c.ts";'),
      edge("c.ts", "a.ts"),
      edge("d.ts", "a.ts"),
    ];
    expect(importCycles(imports)).toEqual(["a.ts → b.ts → c.ts → a.ts"]);
  });

  test("finds a file that imports itself", () => {
    expect(importCycles([edge("a.ts", "a.ts")])).toEqual(["a.ts → a.ts"]);
  });

  test("finds none where two ways lead to one file", () => {
    const diamond = [edge("a.ts", "b.ts"), edge("a.ts", "c.ts"), edge("b.ts", "d.ts"), edge("c.ts", "d.ts")];
    expect(importCycles(diamond)).toEqual([]);
  });
});

describe("folderCycles()", () => {
  test("finds a circle of folders that no circle of files makes", () => {
    const imports = [
      edge("server/live/a.ts", "server/http/b.ts"),
      edge("server/http/c.ts", "server/live/d.ts"),
    ];
    expect(importCycles(imports)).toEqual([]);
    expect(folderCycles(imports)).toEqual(["server/live → server/http → server/live"]);
  });

  test("lets a folder and the one inside it import one way, and files of one folder each other", () => {
    const imports = [edge("server/a.ts", "server/live/b.ts"), edge("server/live/b.ts", "server/live/c.ts")];
    expect(folderCycles(imports)).toEqual([]);
  });
});

describe("crowdedFolders()", () => {
  const files = (folder: string, count: number) =>
    Array.from({ length: count }, (_, i) => `${folder}/${i}.ts`);

  test("finds a folder of server/ with more than 15 files, those of its folders not counted", () => {
    expect(crowdedFolders([...files("server/live", 15), ...files("server/live/deep", 15)])).toEqual([]);
    expect(crowdedFolders(files("server/live", 16))).toEqual([
      "server/live holds 16 files, wanted at most 15",
    ]);
  });
});

describe("the folders of server/", () => {
  test("have each a question in CONTRIBUTING.md, and none that is not there has one", async () => {
    const root = `${import.meta.dir}/..`;
    const guide = await Bun.file(`${root}/CONTRIBUTING.md`).text();
    const told = [...guide.matchAll(/^\| `(server\/[a-z/]+)\/` +\| [^|]+\? +\|$/gm)].map(([, name]) => name);
    const files = (await codeFiles(root)).filter(
      (file) => file.split("/").length > 2 && file.startsWith("server/"),
    );
    expect(told).toEqual([...new Set(files.map((file) => file.slice(0, file.lastIndexOf("/"))))].sort());
  });
});

describe("unexpectedNames()", () => {
  test("takes the rooms, the usual files and what git ignores", () => {
    expect(unexpectedNames(["core", "docs", "README.md", ".git", "node_modules", "bun.log"])).toEqual([]);
  });

  test("names everything else", () => {
    expect(unexpectedNames(["utils", "core"])).toEqual(["utils: not a name for the top of the project"]);
  });
});

describe("undocumented()", () => {
  test("finds every kind of export without a doc comment", () => {
    const text = `
export function f() {}
export class C {}
export const a = 1, b = 2;
export interface I {}
export type T = I;
export enum E {}
export default f;
// not a doc comment
export async function* g() {}
/** */
export const empty = 1;
`;
    expect(undocumented("core/x.ts", text).map((line) => line.split(" has ")[0])).toEqual([
      "core/x.ts:2: f",
      "core/x.ts:3: C",
      "core/x.ts:4: a",
      "core/x.ts:4: b",
      "core/x.ts:5: I",
      "core/x.ts:6: T",
      "core/x.ts:7: E",
      "core/x.ts:8: the default export",
      "core/x.ts:10: g",
      "core/x.ts:12: empty",
    ]);
  });

  test("takes documented exports, overloads after a documented one, re-exports and what is not exported", () => {
    const text = `
/** Does it. */
export function f(a: string): string;
export function f(a: number): number;
export function f(a: unknown): unknown { return a; }
/** @throws {TypeError} always */
function hidden() {}
const inner = 1;
export { hidden };
export * from "./y.ts";
/** Two numbers. */
export const a = 1, b = 2;
`;
    expect(undocumented("core/x.ts", text)).toEqual([]);
  });
});
