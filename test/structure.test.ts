import { describe, expect, test } from "bun:test";
import { exportedTwice, longFunctions } from "./structure.ts";

const lines = (count: number) => "  work();\n".repeat(count);

describe("longFunctions()", () => {
  test("finds functions, methods and arrow functions of more than 80 lines", () => {
    const text = `function a() {\n${lines(78)}}\nfunction b() {\n${lines(79)}}\nclass C {\n  m() {\n${lines(79)}  }\n}\nconst d = () => {\n${lines(79)}};\n`;
    expect(longFunctions("core/x.ts", text)).toEqual([
      "core/x.ts:81: a function of 81 lines, wanted at most 80",
      "core/x.ts:163: a function of 81 lines, wanted at most 80",
      "core/x.ts:245: a function of 81 lines, wanted at most 80",
    ]);
  });

  test("takes one whose comment says why", () => {
    const body = `{\n${lines(90)}}\n`;
    expect(longFunctions("core/x.ts", `// Long because it is one table.\nfunction a() ${body}`)).toEqual([]);
    expect(
      longFunctions("core/x.ts", `/** A. Long because it is one table. */\nexport const a = () => ${body}`),
    ).toEqual([]);
    expect(longFunctions("core/x.ts", `// Long because\nfunction a() ${body}`)).toHaveLength(1);
  });
});

describe("exportedTwice()", () => {
  const files = [
    ["core/a.ts", "export interface A {}\nexport const b = 1;\nconst c = 2;"],
    [
      "jobs/b.ts",
      "export type A = string;\nexport const c = 3;\nexport function f(a: string): void;\nexport function f(): void {}",
    ],
    ["jobs/c.ts", 'export type { A } from "../core/a.ts";\nexport default 1;'],
    ["jobs/d.ts", "export default 2;"],
  ] as const;

  test("finds a name that two files declare and export, and lets re-exports, overloads and default exports be", () => {
    expect(exportedTwice(files, {})).toEqual(["A is exported by core/a.ts and jobs/b.ts"]);
  });

  test("takes an exception that is needed, and refuses one that is not", () => {
    expect(exportedTwice(files, { A: "two things" })).toEqual([]);
    expect(exportedTwice(files, { A: "two things", b: "old" })).toEqual([
      "b is exported once: its exception is not needed any more",
    ]);
  });
});
