import type { City } from "../../core/city.ts";
import type { Observation } from "../../core/observation.ts";
import { HOUR_MS } from "../../core/time.ts";
import type { NewRecord } from "../log/log.ts";
import { chance, noiseKey } from "./noise.ts";
import { recordOf } from "./record.ts";
import { simulateObservation } from "./weather-model.ts";

/** How often sensors and lines fail: each a share of the observations, 0 (the default) to 1. */
export interface FaultRates {
  /** One value of the temperature is far off. */
  spike?: number;
  /** A sensor repeats its values, for 12 h (from 0 or 12 h UTC). */
  stuck?: number;
  /** Nothing is reported, for an hour. */
  gap?: number;
  /** The observation is sent twice. */
  duplicate?: number;
  /** The observation is sent again with another temperature. */
  revision?: number;
  /** The observation is sent later than those that follow it. */
  late?: number;
}

/** What is wrong with one observation. */
export interface SimulatedFault {
  /** °C added to the temperature: 8.0 to 15.0 up or down, or 0. */
  spike: number;
  /** The time whose values are repeated, ms, or null. */
  stuckSince: number | null;
  /** Not sent at all; whatever else it has does not show. */
  gap: boolean;
  duplicate: boolean;
  revision: boolean;
  /** How much later it is sent, ms: 10 min to 3 h in whole seconds, or 0. */
  lateMs: number;
}

const STUCK_MS = 12 * HOUR_MS;
const LATE_MIN_SECONDS = 600;
const LATE_MAX_SECONDS = 10_800;
/** °C by which a revision differs. */
const REVISED = 0.5;

/**
 * What goes wrong with the observation of a city at a time: a pure function of its arguments, so that a test can work out
 * what must arrive.
 */
export function faultOf(city: City, ms: number, seed: number, rates: FaultRates): SimulatedFault {
  const second = Math.floor(ms / 1000);
  const key = noiseKey(`${city.name}/faults`, seed);
  const at = (salt: number, index: number) => chance(key ^ Math.imul(salt, 0x9e3779b1), index);
  const stuckWindow = Math.floor(ms / STUCK_MS);
  const size = 8 + Math.round(70 * at(7, second)) / 10;
  const late = LATE_MIN_SECONDS + Math.round(at(8, second) * (LATE_MAX_SECONDS - LATE_MIN_SECONDS));
  return {
    spike: at(1, second) < (rates.spike ?? 0) ? (at(9, second) < 0.5 ? -size : size) : 0,
    stuckSince: at(2, stuckWindow) < (rates.stuck ?? 0) ? stuckWindow * STUCK_MS : null,
    gap: at(3, Math.floor(ms / HOUR_MS)) < (rates.gap ?? 0),
    duplicate: at(4, second) < (rates.duplicate ?? 0),
    revision: at(5, second) < (rates.revision ?? 0),
    lateMs: at(6, second) < (rates.late ?? 0) ? late * 1000 : 0,
  };
}

/** Makes the records of a set of cities, step by step, with what goes wrong with them. */
export class SimulatedStations {
  readonly #cities: readonly City[];
  readonly #seed: number;
  readonly #rates: FaultRates | undefined;
  #late: { due: number; records: NewRecord[] }[] = [];

  constructor(cities: readonly City[], seed: number, rates?: FaultRates) {
    this.#cities = cities;
    this.#seed = seed;
    this.#rates = rates;
  }

  /** The records sent at `ms`: late ones that are due, then one of each city with its duplicate and revision. */
  *step(ms: number): Generator<NewRecord> {
    if (this.#late.length > 0) yield* this.rest(ms);
    for (const city of this.#cities) {
      if (this.#rates === undefined) {
        yield recordOf(simulateObservation(city, ms, this.#seed));
        continue;
      }
      const fault = faultOf(city, ms, this.#seed, this.#rates);
      if (fault.gap) continue;
      const records = this.#records(city, ms, fault);
      if (fault.lateMs === 0) yield* records;
      else this.#late.push({ due: ms + fault.lateMs, records });
    }
  }

  /** The late records due until `ms` (default: all there are), in the order they are due. */
  *rest(ms = Infinity): Generator<NewRecord> {
    const due = this.#late.filter((late) => late.due <= ms).sort((a, b) => a.due - b.due);
    if (due.length > 0) this.#late = this.#late.filter((late) => late.due > ms);
    for (const late of due) yield* late.records;
  }

  #records(city: City, ms: number, fault: SimulatedFault): NewRecord[] {
    const observation = simulateObservation(city, ms, this.#seed);
    if (fault.stuckSince !== null) {
      const { timestamp } = observation;
      Object.assign(observation, simulateObservation(city, fault.stuckSince, this.#seed), { timestamp });
    }
    if (fault.spike !== 0) warm(observation, fault.spike);
    const record = recordOf(observation);
    const records = fault.duplicate ? [record, record] : [record];
    if (fault.revision) {
      warm(observation, REVISED);
      records.push(recordOf(observation));
    }
    return records;
  }
}

function warm(observation: Observation, degrees: number): void {
  observation.temperature = Math.round(((observation.temperature ?? 0) + degrees) * 10) / 10 + 0;
}
