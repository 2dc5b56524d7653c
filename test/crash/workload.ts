import { randomFrom } from "../../core/random.ts";
import { identityOf, valuesOf, type Meaning } from "../support/truth.ts";

/** The time of every run: after all of the workload's observations. */
export const NOW = Date.UTC(2026, 0, 5);

/** Records as a producer sends them, and what each of them means. */
export interface Workload {
  /** Values, in the calls of `append` they are sent with. */
  chunks: string[][];
  meaningOf(value: string): Meaning;
  /** The call of `append` whose rows are retracted as soon as they are committed, by its place in `chunks`; left out: none. */
  retracted?: number;
}

const CITIES = ["London", "Tokyo", "São Paulo", 'O\'Fallon "East"'];
/** Hours of each day, which is all that is needed to have days of one and of several. */
const HOURS = [["00", "23"], ["11"], ["00"], ["05"]];

/**
 * Makes a small workload that a seed decides: three days in order, with duplicates, revisions (some of them back to the
 * values before, some of them corrections), late records, impossible values and records that cannot be read; and one record of the day after.
 *
 * @param options.chunks calls of `append`
 * @param options.size records in each
 */
export function makeWorkload(seed: number, { chunks, size }: { chunks: number; size: number }): Workload {
  const random = randomFrom(seed);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
  const meanings = new Map<string, Meaning>();
  const sent: Record<string, unknown>[] = [];
  const send = (observation: Record<string, unknown>): string => {
    const value = JSON.stringify(observation);
    const isBroken = observation["humidity"] === 255;
    const kept = { ...observation, humidity: null, impossible: '{"humidity":"255"}' };
    const { identity, values } = {
      identity: identityOf(observation),
      values: valuesOf(isBroken ? kept : observation),
    };
    const correction = observation["correction"] === true;
    meanings.set(value, { identity, values, timestamp: String(observation["timestamp"]), correction });
    sent.push(observation);
    return value;
  };
  const measured = () => ({
    temperature: Math.round(random() * 400) / 10 - 10,
    humidity: pick([null, 255, ...Array.from({ length: 8 }, () => Math.floor(random() * 100))]),
    pressure: 1000 + random() * 30,
    wind_speed: random() < 0.2 ? 0 : random() * 20,
    rainfall: random() < 0.5 ? 0 : 0.1 + 0.2 * random(),
    weather_main: pick(["Clear", "Rain", null]),
    weather_description: pick(["clear sky", "schwül & heiß ☀", null]),
  });
  const observe = (day: number): string =>
    send({
      timestamp: `2026-01-0${day}T${pick(HOURS[day - 1]!)}:${String(Math.floor(random() * 60)).padStart(2, "0")}:00Z`,
      city: pick(CITIES),
      ...measured(),
      source: "test",
      ...(random() < 0.3 ? { clouds: Math.floor(random() * 100), wind_direction: random() * 360 } : {}),
    });
  const bad = (): string => {
    const value = pick([
      `not JSON ${random()}`,
      `{"timestamp":"2026-01-01T00:00:00Z","city":"","temperature":${random()},"source":"test"}`,
      `{"timestamp":"0001-01-01T00:00:00Z","city":"London","source":"${random()}"}`,
      `\u0000\u0001binary\ufffd${random()}`,
      `[${random()}]`,
    ]);
    meanings.set(value, null);
    return value;
  };
  const result: string[][] = [];
  for (let chunk = 0; chunk < chunks; chunk++) {
    // The first day fills a third of the chunks, and so on; what is late belongs to a day before.
    const today = 1 + Math.floor((3 * chunk) / chunks);
    const values: string[] = [];
    while (values.length < size) {
      const choice = random();
      if (choice < 0.12 && sent.length > 0) values.push(send(pick(sent)));
      else if (choice < 0.26 && sent.length > 0) values.push(send({ ...pick(sent), ...measured() }));
      else if (choice < 0.3 && sent.length > 0)
        values.push(send({ ...pick(sent), ...measured(), correction: true }));
      else if (choice < 0.34) values.push(bad());
      else if (choice < 0.46) values.push(observe(1 + Math.floor(random() * today)));
      else values.push(observe(today));
    }
    // The last record closes the last day.
    if (chunk === chunks - 1) values.push(observe(4));
    result.push(values);
  }
  return {
    chunks: result,
    meaningOf(value) {
      const meaning = meanings.get(value);
      if (meaning === undefined) throw new RangeError(`Not a record of this workload: ${value}`);
      return meaning;
    },
  };
}
