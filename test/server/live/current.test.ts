import { describe, expect, test } from "bun:test";
import { CurrentState } from "../../../server/live/current.ts";
import { NOW, observation, row } from "../../support/fake-services.ts";

const record = (offset: number, changes: Parameters<typeof observation>[0] = {}) => ({
  offset,
  timestamp: NOW,
  value: JSON.stringify(observation(changes)),
});

describe("CurrentState", () => {
  test("keeps the newest by time of observation, then by offset", () => {
    const state = new CurrentState();
    state.apply([
      record(1, { timestamp: "2026-01-31T11:00:00Z", temperature: 1 }),
      record(2, { timestamp: "2026-01-31T11:10:00Z", temperature: 2 }),
      record(3, { timestamp: "2026-01-31T11:05:00Z", temperature: 3 }),
    ]);
    expect(state.city("London")).toMatchObject({ offset: 2, observation: { temperature: 2 } });
    state.apply([record(4, { timestamp: "2026-01-31T11:10:00Z", temperature: 4 })]);
    expect(state.city("London")).toMatchObject({ offset: 4, observation: { temperature: 4 } });
    expect(state.watermark).toBe("2026-01-31T11:10:00Z");
  });
  test("takes a fraction of a second for later than the whole one", () => {
    const state = new CurrentState();
    state.apply([
      record(1, { timestamp: "2026-01-31T11:00:00.500Z" }),
      record(2, { timestamp: "2026-01-31T11:00:00Z" }),
    ]);
    expect(state.city("London")?.offset).toBe(1);
    expect(state.watermark).toBe("2026-01-31T11:00:00.500Z");
  });
  test("a report whose time is ahead of the log's clock is nobody's current value", () => {
    const state = new CurrentState();
    const ahead = { timestamp: "2026-01-31T23:00:00Z", temperature: 25 };
    expect(state.apply([record(1, ahead), record(2, { ...ahead, city: "Tokyo" })])).toEqual([]);
    expect([state.list(), state.watermark]).toEqual([[], null]);
    state.apply([record(3, { timestamp: "2026-01-31T11:50:00Z", temperature: 18.4, source: "good" })]);
    state.seed([
      { ...row(4, ahead), ingested_at: "2026-01-31T12:00:00Z" },
      {
        ...row(5, { city: "Tokyo", timestamp: "2026-01-31T11:00:00Z" }),
        ingested_at: "2026-01-31T10:54:59Z",
      },
    ]);
    expect(state.list().map(({ observation: { city, temperature } }) => [city, temperature])).toEqual([
      ["London", 18.4],
    ]);
    expect(state.watermark).toBe("2026-01-31T11:50:00Z");
    // Clocks are seldom right to the second: five minutes are allowed.
    state.apply([record(6, { timestamp: "2026-01-31T12:05:00Z", temperature: 19 })]);
    expect(state.city("London")?.observation.temperature).toBe(19);
    // Its time has come, and another report says what it is of.
    const later = { ...record(7, { ...ahead, temperature: 21 }), timestamp: NOW + 11 * 3_600_000 };
    state.apply([later]);
    expect(state.city("London")?.observation.temperature).toBe(21);
  });
  test("apply() returns the valid ones as rows, in order, and leaves the others out", () => {
    const state = new CurrentState();
    const rows = state.apply([
      record(1),
      { offset: 2, timestamp: NOW, value: "not json" },
      { offset: 3, timestamp: NOW, value: "null" },
      record(4, { city: "" }),
      { offset: 5, timestamp: NOW, value: JSON.stringify({ ...observation(), __proto__x: 1 }) },
      record(6, { city: "Tokyo" }),
    ]);
    expect(rows.map(({ log_offset, city }) => [log_offset, city])).toEqual([
      [1, "London"],
      [6, "Tokyo"],
    ]);
    expect(rows[0]).toEqual({ ...observation(), log_offset: 1, ingested_at: "2026-01-31T12:00:00Z" });
    expect(state.list()).toHaveLength(2);
  });
  test("seed() takes rows of the lake, and what the log brings replaces older ones only", () => {
    const state = new CurrentState();
    state.seed([row(5), row(6, { city: "Tokyo", dew_point: 3 })]);
    state.apply([record(7, { timestamp: "2026-01-31T10:00:00Z" }), record(8, { city: "Tokyo" })]);
    expect(state.city("London")).toEqual({
      observation: observation(),
      offset: 5,
      receivedMs: NOW - 600_000,
      judgement: null,
    });
    expect(state.city("Tokyo")?.offset).toBe(8);
  });
  test("a half report of the same time is joined with the other half, as it will be stored", () => {
    const state = new CurrentState();
    const only = (changes: object) => ({ temperature: null, humidity: null, wind_speed: null, ...changes });
    state.apply([record(1, only({ temperature: 6.4 })), record(2, { source: "other", temperature: 9 })]);
    const [joined] = state.apply([record(3, only({ wind_speed: 4.1 }))]);
    expect(joined).toMatchObject({ log_offset: 3, temperature: 6.4, wind_speed: 4.1, humidity: null });
    expect(state.city("London")).toMatchObject({
      offset: 3,
      observation: { temperature: 6.4, wind_speed: 4.1 },
    });
    const whole = record(4, only({ wind_speed: 5 }));
    state.apply([{ ...whole, value: whole.value.replace("{", '{"correction":true,') }]);
    expect(state.city("London")?.observation).toMatchObject({ temperature: null, wind_speed: 5 });
    // One that was known already, as after a restart, takes nothing from those after it.
    const [again] = state.apply([record(1, only({ temperature: 6.4 }))]);
    expect(again).toMatchObject({ log_offset: 1, temperature: 6.4, wind_speed: null });
  });
  test("a half report is joined with the row of the lake that was seeded", () => {
    const state = new CurrentState();
    state.seed([row(5, { temperature: 6.4 })]);
    state.apply([record(6, { temperature: null, humidity: 12 })]);
    expect(state.city("London")).toMatchObject({
      offset: 6,
      observation: { temperature: 6.4, humidity: 12 },
    });
  });
  test("withdraw() forgets what is retracted in its partition, and takes the lake's rows in its place", () => {
    const state = new CurrentState();
    const wrong = { source: "csv", timestamp: "2026-01-31T11:55:00Z", temperature: 30 };
    state.apply([record(6, wrong)]);
    state.apply([record(6, { ...wrong, city: "Tokyo" })], 1);
    state.seed([row(6, { ...wrong, city: "Oslo" })]);
    expect(state.watermark).toBe("2026-01-31T11:55:00Z");
    const retracted = new Map([[0, [{ source: "csv", first: 5, last: 6 }]]]);
    state.withdraw(retracted, [row(2, { temperature: 7 })]);
    expect(state.list().map(({ observation: { city, temperature } }) => [city, temperature])).toEqual([
      ["London", 7],
      ["Tokyo", 30],
    ]);
    // What a process that starts reads of the log once more.
    expect(
      state.apply([record(6, wrong), record(7, { source: "csv", temperature: null, humidity: 50 })]),
    ).toMatchObject([{ log_offset: 7, temperature: null, humidity: 50 }]);
    state.withdraw(new Map([[1, [{ source: "csv", first: 6, last: 6 }]]]), []);
    expect(state.city("Tokyo")).toBeNull();
    expect(state.watermark).toBe("2026-01-31T11:50:00Z");
  });
  test("list() is by name, and the same array until something changes", () => {
    const state = new CurrentState();
    state.apply([record(1, { city: "Tokyo" }), record(2)]);
    const list = state.list();
    expect(list.map(({ observation: { city } }) => city)).toEqual(["London", "Tokyo"]);
    state.apply([record(0, { timestamp: "2026-01-31T01:00:00Z" })]);
    expect(state.list()).toBe(list);
    state.apply([record(3)]);
    expect(state.list()).not.toBe(list);
  });
  test("takes no more cities than it may, and goes on with those it has", () => {
    const state = new CurrentState(2);
    state.apply([
      record(1, { city: "A" }),
      record(2, { city: "B" }),
      record(3, { city: "C" }),
      record(4, { city: "A" }),
    ]);
    expect(state.list().map(({ offset }) => offset)).toEqual([4, 2]);
    expect(state.city("C")).toBeNull();
    expect(new CurrentState().watermark).toBeNull();
  });
  test("is not confused by names that every object has", () => {
    const state = new CurrentState();
    state.apply([record(1, { city: "__proto__" }), record(2, { city: "constructor" })]);
    expect(state.city("__proto__")?.offset).toBe(1);
    expect(state.city("toString")).toBeNull();
  });
});
