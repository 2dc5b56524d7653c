import { describe, expect, test } from "bun:test";
import { RATE_WINDOW_MS, RateMeter } from "../../../server/live/rate-meter.ts";

const at = (seconds: number) => 1_000_000 + seconds * 1000;

describe("RateMeter", () => {
  test("is null until the window is five seconds long", () => {
    const meter = new RateMeter();
    expect(meter.rate).toBeNull();
    meter.note(at(0), 10);
    meter.note(at(4), 50);
    expect(meter.rate).toBeNull();
    meter.note(at(5), 60);
    expect(meter.rate).toEqual({ per_second: 10, seconds: 5 });
  });

  test("forgets what is older than five minutes, and falls to 0 when nothing comes", () => {
    const meter = new RateMeter();
    const window = RATE_WINDOW_MS / 1000;
    for (let second = 0; second <= 100; second++) meter.note(at(second), second * 3);
    expect(meter.rate).toEqual({ per_second: 3, seconds: 100 });
    for (let second = 101; second <= window; second++) meter.note(at(second), 300);
    expect(meter.rate).toEqual({ per_second: 1, seconds: window });
    for (let second = window + 1; second <= window + 100; second++) meter.note(at(second), 300);
    expect(meter.rate).toEqual({ per_second: 0, seconds: window });
  });

  test("restarts when the counter went back, and ignores unknown counts", () => {
    const meter = new RateMeter();
    meter.note(at(0), 1000);
    meter.note(at(10), null);
    meter.note(at(20), 5);
    expect(meter.rate).toBeNull();
    meter.note(at(30), 25);
    expect(meter.rate).toEqual({ per_second: 2, seconds: 10 });
  });

  test("has bounded memory", () => {
    const meter = new RateMeter();
    for (let i = 0; i <= 10_000; i++) meter.note(at(i / 1000), i);
    expect(meter.rate?.seconds).toBe(10);
    expect(meter.rate?.per_second).toBe(1000);
  });
});
