import { describe, expect, test } from "bun:test";
import { succeedOnce } from "../../core/retry.ts";

describe("succeedOnce()", () => {
  test("shares a try among those who wait, tries again after a failure, and never after a success", async () => {
    const tries: PromiseWithResolvers<number>[] = [];
    const get = succeedOnce(() => {
      tries.push(Promise.withResolvers());
      return tries.at(-1)!.promise;
    });
    const first = [get(), get()];
    expect(tries).toHaveLength(1);
    tries[0]!.reject(new Error("not yet"));
    for (const one of first) await expect(one).rejects.toThrow("not yet");
    const second = [get(), get()];
    tries[1]!.resolve(7);
    expect(await Promise.all(second)).toEqual([7, 7]);
    expect(await get()).toBe(7);
    expect(tries).toHaveLength(2);
  });
});
