import type { City } from "../../core/city.ts";
import type { Clock } from "../../core/clock.ts";
import { wholeNumber, setting } from "../../core/setting.ts";
import { HOUR_MS } from "../../core/time.ts";
import { roundTo } from "../../core/units.ts";
import type { NewRecord } from "../log/log.ts";
import { type FaultRates, SimulatedStations } from "./faults.ts";
import { type Source, sourceEntry } from "./source.ts";

export { simulateObservation } from "./weather-model.ts";

const POLL_SECONDS = 2;
const HISTORY_STEP_MS = 600_000;
const CHUNK_RECORDS = 1_000;

/** The simulator, which is always there. */
export const SIMULATOR = sourceEntry({
  name: "simulator",
  title: "the simulator",
  licence: {
    name: "none needed",
    url: null,
    note: "Its numbers are computed here and describe no real weather.",
  },
  settings: {
    simulatorSeed: setting({
      name: "SIMULATOR_SEED",
      kind: wholeNumber(0, 4_294_967_295),
      default: 1,
      written: "1",
      meaning: "Seed of the simulator: the same seed gives the same weather.",
    }),
  },
  auto: "the simulator",
  open: ({ simulatorSeed: seed }, { cities, clock }) => simulator({ cities, seed, clock }),
});

/** Simulated weather of this moment; the past is one observation a city every ten minutes. */
export function simulator(options: {
  cities: readonly City[];
  seed: number;
  clock: Clock;
  faults?: FaultRates | undefined;
}): Source {
  const { cities, seed, clock, faults } = options;
  const stations = new SimulatedStations(cities, seed, faults);
  return {
    name: "simulator",
    kind: "simulated",
    pollSeconds: POLL_SECONDS,
    credit: null,
    poll: () => {
      const second = Math.floor(clock.now() / 1000) * 1000;
      return Promise.resolve({ records: [...stations.step(second)], failures: [] });
    },
    history: (hours) => {
      const to = clock.now();
      const from = Math.ceil((to - hours * HOUR_MS) / HISTORY_STEP_MS) * HISTORY_STEP_MS;
      const records: NewRecord[] = [];
      const load = { cities, seed, faults, from, to: to + 1, stepMs: HISTORY_STEP_MS };
      for (const chunk of simulatedRecords(load)) for (const record of chunk) records.push(record);
      return Promise.resolve({ records, failures: [] });
    },
  };
}

/**
 * Simulated records for a load of any size, in chunks of up to 1,000: one of each city at `from`, `from + stepMs`, … before
 * `to`. What is late comes later, at the end at the latest. {@link ./faults.ts faultOf} tells what goes wrong with which.
 *
 * @param options.from ms since the epoch, inclusive
 * @param options.to ms since the epoch, exclusive
 * @param options.stepMs between two observations of a city: a multiple of 1,000, because time has whole seconds here
 */
export function* simulatedRecords(options: {
  cities: readonly City[];
  from: number;
  to: number;
  stepMs: number;
  seed: number;
  faults?: FaultRates | undefined;
}): Generator<NewRecord[]> {
  const { from, to, stepMs } = options;
  if (!(stepMs >= 1000)) throw new RangeError(`Cannot simulate steps of ${stepMs} ms, wanted 1000 or more`);
  const stations = new SimulatedStations(options.cities, options.seed, options.faults);
  let chunk: NewRecord[] = [];
  const steps = function* () {
    for (let ms = from; ms < to; ms += stepMs) yield* stations.step(ms);
    yield* stations.rest();
  };
  for (const record of steps()) {
    chunk.push(record);
    if (chunk.length < CHUNK_RECORDS) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}

/**
 * `count` places spread evenly over the inhabited latitudes (a Fibonacci lattice from 56° S to 70° N): always the same
 * ones. Their zones are whole hours by longitude (`Etc/GMT-9` is nine hours east).
 */
export function syntheticCities(count: number): City[] {
  const golden = (Math.sqrt(5) - 1) / 2;
  const south = Math.sin((-56 * Math.PI) / 180);
  const north = Math.sin((70 * Math.PI) / 180);
  return Array.from({ length: count }, (_, index) => {
    const sine = south + ((north - south) * (index + 0.5)) / count;
    const longitude = roundTo(((index * golden) % 1) * 360 - 180, 4);
    const hours = Math.round(longitude / 15);
    const number = String(index + 1).padStart(4, "0");
    return {
      name: `Station ${number}`,
      slug: `station-${number}`,
      latitude: roundTo((Math.asin(sine) * 180) / Math.PI, 4),
      longitude,
      zone: hours === 0 ? "Etc/GMT" : `Etc/GMT${hours > 0 ? "-" : "+"}${Math.abs(hours)}`,
      elevation: null,
      metar: null,
    };
  });
}
