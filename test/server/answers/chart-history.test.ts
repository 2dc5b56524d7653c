import { describe, expect, test } from "bun:test";
import { formatTimestamp } from "../../../core/time.ts";
import { readHistory, sharedHistory } from "../../../server/answers/chart-history.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { FakeServices, NOW, row } from "../../support/fake-services.ts";

const MINUTE = 60_000;
const rows = (minutes: readonly number[], temperature: (minute: number) => number | null = (m) => m) =>
  minutes.map((minute, i) =>
    row(i, { timestamp: formatTimestamp(NOW + minute * MINUTE), temperature: temperature(minute) }),
  );
const read = async (services: FakeServices, to = NOW + 24 * 60 * MINUTE) => {
  const { series } = await readHistory(services, {
    cities: ["London"],
    from: NOW,
    to,
    staleAfterSeconds: 900,
  });
  const line = series[0];
  if (line === undefined) throw new Error("wanted one series");
  return line;
};

describe("readHistory()", () => {
  test("breaks the line where points are further apart than three intervals", async () => {
    const services = new FakeServices();
    services.rows = rows([0, 10, 20, 30, 70, 80, 90, 100]);
    const line = await read(services);
    expect(line.v).toEqual([0, 10, 20, 30, null, 70, 80, 90, 100]);
    expect(line.gap).toBe(1800);
  });

  test("joins hourly points although values count as stale much earlier", async () => {
    const services = new FakeServices();
    services.rows = rows([0, 60, 120, 180, 190, 195, 200]);
    const line = await read(services);
    expect(line.v).not.toContain(null);
  });

  test("breaks the line at a missing value", async () => {
    const services = new FakeServices();
    services.rows = rows([0, 10, 20], (m) => (m === 10 ? null : m));
    expect((await read(services)).v).toEqual([0, null, 20]);
  });

  test("leaves out a report whose time fails: it ends no gap, and the line is as if it were not there", async () => {
    const services = new FakeServices();
    const good = rows([0, 10, 20, 30, 70, 80]);
    services.rows = good;
    const wanted = await read(services);
    const failed = row(9, { timestamp: formatTimestamp(NOW + 50 * MINUTE), temperature: 44 });
    services.flags = (one) => (one === failed ? { q_time: 4 } : {});
    services.rows = [...good.slice(0, 4), failed, ...good.slice(4)];
    expect(await read(services)).toEqual(wanted);
  });

  test("reads every page of a long series and keeps its extremes", async () => {
    const services = new FakeServices();
    const minutes = Array.from({ length: 12_000 }, (_, i) => i / 10);
    services.rows = rows(minutes, (m) => (m === 800 ? 60 : m === 801 ? -60 : 10));
    const line = await read(services);
    expect(line.t.length).toBeLessThanOrEqual(600);
    expect(Math.max(...line.v.map((v) => v ?? 0))).toBe(60);
    expect(Math.min(...line.v.map((v) => v ?? 0))).toBe(-60);
    expect(line.t.at(-1)).toBe((NOW + 1199.9 * MINUTE) / 1000);
  });

  test("gives an empty series for a city without rows", async () => {
    expect(await read(new FakeServices())).toEqual({ city: "London", t: [], v: [], gap: 900 });
  });

  test("fails with the lake's own error", async () => {
    const services = new FakeServices();
    services.failure = new Error("the lake is away");
    await expect(read(services)).rejects.toThrow("the lake is away");
  });
});

describe("sharedHistory()", () => {
  const empty = { from: 0, to: 1, series: [] };

  test("reads once for concurrent requests, and again after two seconds", async () => {
    const clock = new FakeClock();
    const asked: number[] = [];
    const read = sharedHistory(clock, (hours) => {
      asked.push(hours);
      return Promise.resolve(empty);
    });
    await Promise.all([read(24, ["Oslo"]), read(24, ["Oslo"]), read(6, ["Oslo"])]);
    await read(24, ["Oslo"]);
    expect(asked).toEqual([24, 6]);
    await read(24, ["Rome"]);
    expect(asked).toEqual([24, 6, 24]);
    await clock.advance(2000);
    await read(24, ["Oslo"]);
    expect(asked).toEqual([24, 6, 24, 24]);
  });

  test("does not keep a failure", async () => {
    let fails = true;
    const read = sharedHistory(new FakeClock(), () =>
      fails ? Promise.reject(new Error("away")) : Promise.resolve(empty),
    );
    await expect(read(24, [])).rejects.toThrow("away");
    fails = false;
    expect(await read(24, [])).toEqual(empty);
  });
});
