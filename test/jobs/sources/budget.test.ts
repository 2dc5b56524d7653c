import { describe, expect, test } from "bun:test";
import { CallBudget } from "../../../jobs/sources/budget.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { JumpingClock, never, rejection } from "./provider.ts";

describe("CallBudget.take()", () => {
  test("lets calls through up to the limit and makes the next one wait until the window has moved on", async () => {
    const clock = new JumpingClock();
    const budget = new CallBudget({
      provider: "P",
      limits: [{ calls: 3, windowMs: 1000 }],
      maxWaitMs: 5000,
      clock,
    });
    const times: number[] = [];
    const start = clock.now();
    for (let call = 0; call < 7; call++) {
      await budget.take(1, never);
      times.push(clock.now() - start);
      clock.pass(100);
    }
    expect(times).toEqual([0, 100, 200, 1000, 1100, 1200, 2000]);
  });

  test("no stretch of time ever holds more calls than any of the limits allows, whatever the calls' costs", async () => {
    const clock = new JumpingClock(1_000_000);
    const limits = [
      { calls: 10, windowMs: 1000 },
      { calls: 25, windowMs: 7000 },
      { calls: 60, windowMs: 60_000 },
    ];
    const budget = new CallBudget({ provider: "P", limits, maxWaitMs: 60_000, clock });
    const made: { at: number; cost: number }[] = [];
    for (let call = 0; call < 200; call++) {
      const cost = 1 + (call % 4);
      await budget.take(cost, never);
      made.push({ at: clock.now(), cost });
      clock.pass((call * 37) % 211);
    }
    for (const { calls, windowMs } of limits) {
      const most = Math.max(
        ...made.map(({ at }) =>
          made
            .filter((other) => other.at > at - windowMs && other.at <= at)
            .reduce((sum, other) => sum + other.cost, 0),
        ),
      );
      expect(most).toBeLessThanOrEqual(calls);
      expect(most).toBeGreaterThan(calls / 2); // and the limit is made use of
    }
  });

  test("calls made at the same time keep to the limit together", async () => {
    const clock = new FakeClock();
    const budget = new CallBudget({
      provider: "P",
      limits: [{ calls: 2, windowMs: 1000 }],
      maxWaitMs: 5000,
      clock,
    });
    let through = 0;
    const all = Array.from({ length: 5 }, () => budget.take(1, never).then(() => through++));
    await clock.sleepers(3);
    expect(through).toBe(2);
    await clock.advance(1000);
    expect(through).toBe(4);
    await clock.advance(1000);
    expect(through).toBe(5);
    await Promise.all(all);
  });

  test("refuses a call that would have to wait too long, and does not count it", async () => {
    const clock = new JumpingClock();
    const budget = new CallBudget({
      provider: "Example",
      limits: [{ calls: 1, windowMs: 10_000 }],
      maxWaitMs: 4000,
      clock,
    });
    await budget.take(1, never);
    const error = await rejection(budget.take(1, never));
    expect(error.code).toBe("rate_limited");
    expect(error.message).toBe(
      "Cannot call Example: its limit of calls is reached for another 10 s, wanted at most 4 s",
    );
    clock.pass(6000);
    await budget.take(1, never);
    expect(clock.jumps).toEqual([4000]);
  });

  test("refuses a call that costs more than a limit", async () => {
    const clock = new JumpingClock();
    const budget = new CallBudget({
      provider: "P",
      limits: [{ calls: 5, windowMs: 1000 }],
      maxWaitMs: 9000,
      clock,
    });
    expect((await rejection(budget.take(6, never))).code).toBe("rate_limited");
    await budget.take(5, never);
  });

  test("goes on after the clock was set back", async () => {
    const clock = new JumpingClock();
    const budget = new CallBudget({
      provider: "P",
      limits: [{ calls: 1, windowMs: 1000 }],
      maxWaitMs: 5000,
      clock,
    });
    await budget.take(1, never);
    clock.pass(-86_400_000);
    await budget.take(1, never);
    expect(clock.jumps).toEqual([1000]);
  });
});
