import { describe, expect, test } from "bun:test";
import { tmpdir } from "node:os";
import { check, program } from "./check.ts";

const lines: string[] = [];
const run = async (...steps: Parameters<typeof check>[0]): Promise<boolean> => {
  lines.length = 0;
  return await check(steps, (text) => lines.push(text));
};

describe("check()", () => {
  test("is content when no step has anything to say", async () => {
    expect(await run({ name: "a", run: async () => "" })).toBe(true);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^ok {6}a {2}\d+\.\d s$/);
  });

  test("fails with a step, runs the others all the same and says what is wrong at the end", async () => {
    const fine = await run(
      { name: "bad", run: async () => "a.ts: wrong" },
      { name: "good", run: async () => "" },
    );
    expect(fine).toBe(false);
    expect(lines).toHaveLength(3);
    expect(lines[0]).toStartWith("FAILED  bad ");
    expect(lines[1]).toStartWith("ok      good");
    expect(lines[2]).toBe("\nbad:\na.ts: wrong");
  });

  test("fails with a step that throws", async () => {
    expect(await run({ name: "a", run: () => Promise.reject(new Error("no such tool")) })).toBe(false);
    expect(lines[1]).toBe("\na:\nError: no such tool");
  });
});

describe("program()", () => {
  const step = (code: string) => program("a", ["-e", code], tmpdir());

  test("has nothing to say of a program that ends with 0, whatever it prints", async () => {
    expect(await step("console.log('hello')").run()).toBe("");
  });

  test("shows the output of one that fails, and the code of one that fails in silence", async () => {
    expect(await step("console.log('out'); console.error('err'); process.exit(2)").run()).toBe("out\nerr");
    expect(await step("process.exit(3)").run()).toBe("-e process.exit(3) ended with 3");
  });
});
