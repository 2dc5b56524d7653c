import { describe, expect, test } from "bun:test";
import { Payload } from "../../../server/http/payload.ts";
import { type RowAnswer, RowAnswers } from "../../../server/routes/weather/row-answers.ts";

const answer = (text: string): RowAnswer => ({ payload: new Payload(text, { effort: null }), headers: {} });
const never = new AbortController().signal;

/** Answers that are made when the test says so. */
class Maker {
  readonly made: {
    signal: AbortSignal;
    resolve: (answer: RowAnswer) => void;
    reject: (error: Error) => void;
  }[] = [];
  readonly make = (signal: AbortSignal): Promise<RowAnswer> =>
    new Promise((resolve, reject) => {
      signal.addEventListener("abort", () => reject(new Error("cut off")));
      this.made.push({ signal, resolve, reject });
    });
}

describe("RowAnswers.of()", () => {
  test("equal questions share one reading, and its answer stays while its mark does", async () => {
    const [answers, maker] = [new RowAnswers(), new Maker()];
    const ask = (mark: string, question = "q") => answers.of(question, mark, never, maker.make);
    const both = [ask("1"), ask("1")];
    expect(maker.made).toHaveLength(1);
    maker.made[0]!.resolve(answer("one"));
    const [first, second] = await Promise.all(both);
    expect(first).toBe(second!);
    expect(await ask("1")).toBe(first!);
    const other = ask("1", "another");
    const changed = ask("2");
    expect(maker.made).toHaveLength(3);
    maker.made[1]!.resolve(answer("another"));
    maker.made[2]!.resolve(answer("two"));
    expect(await changed).not.toBe(first!);
    expect(await ask("2")).toBe(await changed);
    expect(await ask("1", "another")).toBe(await other);
    expect(maker.made).toHaveLength(3);
  });

  test("one who leaves stops nothing for the others; when the last has left the reading is cut off", async () => {
    const [answers, maker] = [new RowAnswers(), new Maker()];
    const [one, two] = [new AbortController(), new AbortController()];
    const asked = [one, two].map(({ signal }) => answers.of("q", "1", signal, maker.make).catch(String));
    one.abort(new Error("gone"));
    expect(await asked[0]!).toBe("Error: gone");
    expect(maker.made[0]!.signal.aborted).toBe(false);
    two.abort(new Error("gone too"));
    expect(await asked[1]!).toBe("Error: gone too");
    expect(maker.made[0]!.signal.aborted).toBe(true);
    const again = answers.of("q", "1", never, maker.make);
    maker.made[1]!.resolve(answer("x"));
    expect((await again).payload.size).toBe(1);
    expect(maker.made[1]!.signal.aborted).toBe(false);
  });

  test("a failure is told to all who wait, and is not kept", async () => {
    const [answers, maker] = [new RowAnswers(), new Maker()];
    const asked = [1, 2].map(() => answers.of("q", "1", never, maker.make).catch(String));
    maker.made[0]!.reject(new Error("the lake is away"));
    expect(await Promise.all(asked)).toEqual(["Error: the lake is away", "Error: the lake is away"]);
    const again = answers.of("q", "1", never, maker.make);
    expect(maker.made).toHaveLength(2);
    maker.made[1]!.resolve(answer("x"));
    await again;
  });

  test("keeps 64 MB, those that were used last", async () => {
    const answers = new RowAnswers();
    let made = 0;
    const ask = (question: string) =>
      answers.of(question, "1", never, async () => (made++, answer("x".repeat(20_000_000))));
    for (const question of ["a", "b", "c", "a", "d"]) await ask(question);
    expect(made).toBe(4);
    await ask("a");
    expect(made).toBe(4);
    await ask("b");
    expect(made).toBe(5);
  });
});
