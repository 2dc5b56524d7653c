import { describe, expect, test } from "bun:test";
import { createLogger } from "../../core/log.ts";
import { Shutdown } from "../../server/shutdown.ts";
import { FakeClock } from "../support/fake-clock.ts";

function setUp() {
  const clock = new FakeClock();
  const lines: string[] = [];
  const logger = createLogger({ level: "info", format: "json", write: (line) => lines.push(line) });
  return { clock, lines, shutdown: new Shutdown(10_000, { clock, logger }) };
}

describe("Shutdown.run()", () => {
  test("takes the steps in reverse order, each when the one before has ended, and none twice", async () => {
    const { shutdown } = setUp();
    const order: string[] = [];
    const reached = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    shutdown.defer(() => order.push("locks"));
    shutdown.defer(() => order.push("ports"));
    shutdown.defer(async () => {
      order.push("jobs begin");
      reached.resolve();
      await gate.promise;
      order.push("jobs end");
    });
    const run = shutdown.run();
    await reached.promise;
    expect(order).toEqual(["jobs begin"]);
    gate.resolve();
    await run;
    expect(order).toEqual(["jobs begin", "jobs end", "ports", "locks"]);
    await shutdown.run();
    expect(order).toHaveLength(4);
  });

  test("logs a step that fails, and takes the others all the same", async () => {
    const { shutdown, lines } = setUp();
    const order: string[] = [];
    shutdown.defer(() => order.push("locks"));
    shutdown.defer(() => Promise.reject(new Error("the disk is gone")));
    shutdown.defer(() => {
      throw new Error("the port is gone");
    });
    await shutdown.run();
    expect(order).toEqual(["locks"]);
    expect(lines).toHaveLength(2);
    expect(lines[0]).toContain("the port is gone");
    expect(lines[1]).toContain("the disk is gone");
  });

  test("gives answers a quarter of the time that is left, and jobs all of it", async () => {
    const { shutdown, clock } = setUp();
    const left: number[] = [];
    shutdown.defer(() => left.push(shutdown.jobsMs()));
    shutdown.defer(async () => {
      await clock.advance(20_000);
    });
    shutdown.defer(async () => {
      left.push(shutdown.answersMs());
      await clock.advance(4_000);
      left.push(shutdown.answersMs(), shutdown.jobsMs());
    });
    await shutdown.run();
    expect(left).toEqual([2_500, 1_500, 6_000, 0]);
  });
});
