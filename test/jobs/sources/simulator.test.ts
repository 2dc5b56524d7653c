import { describe, expect, test } from "bun:test";
import { DEFAULT_CITIES, isZone, parseCities } from "../../../core/city.ts";
import { canonicalJson, identityOf, type Observation, parseObservation } from "../../../core/observation.ts";
import { HOUR_MS, parseTimestamp } from "../../../core/time.ts";
import { faultOf, type FaultRates } from "../../../jobs/sources/faults.ts";
import {
  simulatedRecords,
  simulateObservation,
  simulator,
  syntheticCities,
} from "../../../jobs/sources/simulator.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { never } from "./provider.ts";

const START = Date.UTC(2026, 0, 31);
const [newYork, , , sydney] = DEFAULT_CITIES as (typeof DEFAULT_CITIES)[0][];
if (newYork === undefined || sydney === undefined) throw new Error("wanted five default cities");

const observationsOf = (chunks: Iterable<{ value: string }[]>) =>
  [...chunks].flat().map((record) => JSON.parse(record.value) as Observation);
const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

describe("simulateObservation()", () => {
  test("is the same for the same seed, city and second, in whatever order it is asked", () => {
    const times = [START, START + HOUR_MS, START - 1e10, START + 999];
    const first = times.map((ms) => simulateObservation(newYork, ms, 7));
    const copy = { ...newYork };
    const again = times.toReversed().map((ms) => {
      simulateObservation(newYork, ms, 8);
      return simulateObservation(copy, ms, 7);
    });
    expect(again.toReversed()).toEqual(first);
    expect(first[3]).toEqual(simulateObservation(newYork, START, 7));
    expect(simulateObservation(newYork, START, 8)).not.toEqual(simulateObservation(newYork, START, 7));
  });

  test("is canonical, within what instruments measure, and consistent, at any place and time", () => {
    for (const city of [...syntheticCities(200), ...DEFAULT_CITIES]) {
      for (let step = 0; step < 60; step++) {
        const ms = START + step * 151 * HOUR_MS + step * 1000;
        const observation = simulateObservation(city, ms, 3);
        const text = canonicalJson(observation);
        expect(parseObservation(JSON.parse(text), ms)).toEqual({ ok: true, observation });
        expect(text).toBe(JSON.stringify(JSON.parse(text)));
        const { temperature, humidity, dew_point, rainfall, wind_speed, wind_gust, weather_main, pressure } =
          observation as Required<Observation>;
        expect(dew_point).toBeLessThanOrEqual(temperature ?? NaN);
        expect(wind_gust).toBeGreaterThanOrEqual(wind_speed ?? NaN);
        expect(humidity).toBeGreaterThanOrEqual(1);
        expect(humidity).toBeLessThanOrEqual(100);
        expect(pressure).toBeGreaterThan(940);
        expect(pressure).toBeLessThan(1070);
        const wet = ["Rain", "Drizzle", "Thunderstorm"].includes(weather_main ?? "");
        expect([weather_main, (rainfall ?? NaN) > 0]).toEqual([weather_main, wet]);
      }
    }
  });

  test("follows season, hemisphere and the local solar time", () => {
    const temperatures = (city: typeof newYork, from: number, hours: number[]) =>
      mean(
        Array.from({ length: 90 * hours.length }, (_, index) => {
          const day = Math.floor(index / hours.length);
          const hour = hours[index % hours.length] ?? 0;
          return simulateObservation(city, from + (day * 24 + hour) * HOUR_MS, 1).temperature ?? NaN;
        }),
      );
    const all = [0, 6, 12, 18];
    const december = Date.UTC(2025, 11, 1);
    const june = Date.UTC(2026, 5, 1);
    expect(temperatures(newYork, june, all)).toBeGreaterThan(temperatures(newYork, december, all) + 8);
    expect(temperatures(sydney, december, all)).toBeGreaterThan(temperatures(sydney, june, all) + 6);
    // 15 h and 3 h of solar time: 20 h and 8 h UTC in New York, 5 h and 17 h UTC in Sydney
    expect(temperatures(newYork, june, [20])).toBeGreaterThan(temperatures(newYork, june, [8]) + 2);
    expect(temperatures(sydney, june, [5])).toBeGreaterThan(temperatures(sydney, june, [17]) + 2);
  });

  test("rain comes with low pressure and damp air", () => {
    const wet: Observation[] = [];
    const dry: Observation[] = [];
    for (let hour = 0; hour < 8760; hour++) {
      const observation = simulateObservation(newYork, START + hour * HOUR_MS, 1);
      ((observation.rainfall ?? 0) > 0 ? wet : dry).push(observation);
    }
    expect(wet.length).toBeGreaterThan(200);
    expect(dry.length).toBeGreaterThan(4000);
    const means = (rows: Observation[], name: "pressure" | "humidity") =>
      mean(rows.map((row) => row[name] ?? NaN));
    expect(means(wet, "pressure")).toBeLessThan(means(dry, "pressure") - 2);
    expect(means(wet, "humidity")).toBeGreaterThan(means(dry, "humidity") + 5);
  });

  test("the temperature moves a little from poll to poll", () => {
    const steps: number[] = [];
    for (let second = 0; second < 600; second += 2) {
      const at = (offset: number) =>
        simulateObservation(newYork, START + (second + offset) * 1000, 1).temperature;
      steps.push(Math.abs((at(2) ?? NaN) - (at(0) ?? NaN)));
    }
    expect(steps.filter((step) => step > 0.05).length).toBeGreaterThan(150);
    expect(mean(steps)).toBeLessThan(0.3);
    expect(Math.max(...steps)).toBeLessThan(1);
  });
});

describe("simulator()", () => {
  test("polls the observation of this second", async () => {
    const clock = new FakeClock(START + 1234);
    const source = simulator({ cities: DEFAULT_CITIES, seed: 1, clock });
    const { records, failures } = await source.poll(never);
    expect(failures).toEqual([]);
    expect(records.map((record) => record.key)).toEqual(DEFAULT_CITIES.map((city) => city.name));
    expect(records[0]?.value).toBe(canonicalJson(simulateObservation(newYork, START + 1000, 1)));
    expect([source.kind, source.pollSeconds, source.credit]).toEqual(["simulated", 2, null]);
  });

  test("history is one observation a city every ten minutes, oldest first, up to now", async () => {
    const clock = new FakeClock(START);
    const { records } = await simulator({ cities: DEFAULT_CITIES, seed: 1, clock }).history(48, never);
    const times = [...new Set(observationsOf([records]).map((observation) => observation.timestamp))];
    expect(records).toHaveLength(289 * 5);
    expect(times).toHaveLength(289);
    expect(times).toEqual(times.toSorted());
    expect([times[0], times.at(-1)]).toEqual(["2026-01-29T00:00:00Z", "2026-01-31T00:00:00Z"]);
  });

  test("the past and the present agree", async () => {
    const clock = new FakeClock(START);
    const source = simulator({ cities: DEFAULT_CITIES, seed: 1, clock });
    const live = await source.poll(never);
    await clock.advance(HOUR_MS);
    const past = await source.history(2, never);
    for (const record of live.records) expect(past.records).toContainEqual(record);
  });

  test("a late observation comes with a later poll", async () => {
    const clock = new FakeClock(START);
    const source = simulator({ cities: [newYork], seed: 1, clock, faults: { late: 1 } });
    expect((await source.poll(never)).records).toEqual([]);
    await clock.advance(faultOf(newYork, START, 1, { late: 1 }).lateMs);
    const { records } = await source.poll(never);
    expect(observationsOf([records]).map((row) => row.timestamp)).toEqual(["2026-01-31T00:00:00Z"]);
  });
});

describe("simulatedRecords()", () => {
  const cities = syntheticCities(20);
  const load = { cities, from: START, to: START + 24 * HOUR_MS, stepMs: 600_000, seed: 5 };

  test("makes one record of each city and step, in chunks of 1,000", () => {
    const chunks = [...simulatedRecords(load)];
    expect(chunks.map((chunk) => chunk.length)).toEqual([1000, 1000, 880]);
    const rows = observationsOf(chunks);
    expect(new Set(rows.map(identityOf)).size).toBe(144 * 20);
    expect(rows[20 * 6 + 3]).toEqual(simulateObservation(cities[3] ?? newYork, START + HOUR_MS, 5));
  });

  test("faults are the same each time, and each can be worked out", () => {
    const faults: FaultRates = {
      spike: 0.02,
      stuck: 0.1,
      gap: 0.05,
      duplicate: 0.03,
      revision: 0.03,
      late: 0.05,
    };
    const records = [...simulatedRecords({ ...load, faults })].flat();
    expect([...simulatedRecords({ ...load, faults })].flat()).toEqual(records);

    const expected = { sent: 0, duplicates: 0, revisions: 0, gaps: 0, stuck: 0, spikes: 0, late: 0 };
    const final = new Map<string, number>();
    for (let ms = load.from; ms < load.to; ms += load.stepMs) {
      for (const city of cities) {
        const fault = faultOf(city, ms, load.seed, faults);
        if (fault.gap) {
          expected.gaps++;
          continue;
        }
        const values = simulateObservation(city, fault.stuckSince ?? ms, load.seed);
        const temperature = (values.temperature ?? NaN) + fault.spike + (fault.revision ? 0.5 : 0);
        final.set(`${city.name} ${ms}`, temperature);
        expected.sent++;
        if (fault.duplicate) expected.duplicates++;
        if (fault.revision) expected.revisions++;
        if (fault.stuckSince !== null) expected.stuck++;
        if (fault.spike !== 0) expected.spikes++;
        if (fault.lateMs > 0) expected.late++;
      }
    }
    for (const count of Object.values(expected)) expect(count).toBeGreaterThan(20);

    const seen = new Map<string, string[]>();
    let outOfOrder = 0;
    const newest = new Map<string, string>();
    for (const { value } of records) {
      const row = JSON.parse(value) as Observation;
      const values = seen.get(identityOf(row)) ?? [];
      if (values.length === 0 && row.timestamp < (newest.get(row.city) ?? "")) outOfOrder++;
      newest.set(
        row.city,
        row.timestamp > (newest.get(row.city) ?? "") ? row.timestamp : (newest.get(row.city) ?? ""),
      );
      seen.set(identityOf(row), [...values, value]);
    }
    const all = [...seen.values()];
    const distinct = all.map((values) => new Set(values).size);
    expect(seen.size).toBe(expected.sent);
    expect(records).toHaveLength(expected.sent + expected.duplicates + expected.revisions);
    expect(distinct.filter((count) => count === 2)).toHaveLength(expected.revisions);
    expect(outOfOrder).toBeGreaterThan(expected.late / 2);
    expect(outOfOrder).toBeLessThanOrEqual(expected.late);
    for (const values of all) {
      const row = JSON.parse(values.at(-1) ?? "null") as Observation;
      expect(row.temperature).toBeCloseTo(
        final.get(`${row.city} ${parseTimestamp(row.timestamp)}`) ?? NaN,
        6,
      );
    }
  });

  test("a share is kept to over many observations", () => {
    const counts = { spike: 0, stuck: 0, gap: 0, duplicate: 0, revision: 0, late: 0 };
    const rates = { spike: 0.1, stuck: 0.2, gap: 0.3, duplicate: 0.4, revision: 0.5, late: 0.6 };
    const total = 50_000;
    for (let index = 0; index < total; index++) {
      const city = cities[index % cities.length] ?? newYork;
      const fault = faultOf(city, START + index * 12 * HOUR_MS, 1, rates);
      if (fault.spike !== 0) counts.spike++;
      if (fault.stuckSince !== null) counts.stuck++;
      if (fault.gap) counts.gap++;
      if (fault.duplicate) counts.duplicate++;
      if (fault.revision) counts.revision++;
      if (fault.lateMs > 0) counts.late++;
      expect(Math.abs(fault.spike) === 0 || Math.abs(fault.spike) >= 8).toBe(true);
    }
    for (const name of Object.keys(rates) as (keyof typeof rates)[])
      expect(counts[name] / total).toBeCloseTo(rates[name], 1.5);
  });

  test("refuses steps below a second", () => {
    expect(() => [...simulatedRecords({ ...load, stepMs: 10 })]).toThrow(RangeError);
  });
});

describe("syntheticCities()", () => {
  test("makes valid, distinct cities with the zone of their longitude, always the same", () => {
    const cities = syntheticCities(1000);
    expect(parseCities(JSON.parse(JSON.stringify(cities)))).toEqual(cities);
    expect(syntheticCities(1000)).toEqual(cities);
    for (const { longitude, zone } of cities) {
      expect(isZone(zone)).toBe(true);
      const name = new Intl.DateTimeFormat("en", { timeZone: zone, timeZoneName: "longOffset" }).format(
        START,
      );
      const hours = Number(/GMT([+-]\d{2})?/.exec(name)?.[1] ?? 0);
      expect(Math.abs(longitude / 15 - hours)).toBeLessThanOrEqual(0.5);
    }
  });
});
