import { describe, expect, test } from "bun:test";
import type { Source } from "../../../jobs/sources/source.ts";
import { loadConfig } from "../../../server/config/config.ts";
import { aboutOf } from "../../../server/wiring/about.ts";

const PORTS = { log: { kind: "l" }, lake: { kind: "k" }, engine: { name: "e" } } as Parameters<
  typeof aboutOf
>[2];

function staleAfter(env: object, source: Pick<Source, "pollSeconds" | "reportSeconds"> | null): number {
  const { config } = loadConfig({ ...env }, { isTerminal: false });
  const given = {
    dataset: "simulated",
    kind: "simulated",
    reason: "a test",
    source: source === null ? null : ({ name: "one", kind: "simulated", credit: null, ...source } as Source),
  } as const;
  return aboutOf(config, given, PORTS).staleAfterSeconds;
}

describe("aboutOf()", () => {
  test("calls a value stale after three times the expected interval, and not before a minute", () => {
    expect(staleAfter({}, { pollSeconds: 600 })).toBe(1_800);
    expect(staleAfter({}, { pollSeconds: 5 })).toBe(60);
    expect(staleAfter({}, { pollSeconds: 600, reportSeconds: 3_600 })).toBe(10_800);
    expect(staleAfter({ POLL_SECONDS: "100" }, { pollSeconds: 600 })).toBe(300);
  });

  test("expects hourly observations where no source is polled", () => {
    expect(staleAfter({}, null)).toBe(3 * 3_600);
    expect(staleAfter({ POLL_SECONDS: "100" }, null)).toBe(3 * 3_600);
  });
});
