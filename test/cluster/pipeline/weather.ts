import { HOUR_MS } from "../../../core/time.ts";
import type { NewRecord } from "../../../jobs/log/log.ts";
import type { FaultRates } from "../../../jobs/sources/faults.ts";
import { simulatedRecords, syntheticCities } from "../../../jobs/sources/simulator.ts";

const START = Date.UTC(2026, 0, 1);
const FAULTS: FaultRates = {
  spike: 0.01,
  stuck: 0.01,
  gap: 0.01,
  duplicate: 0.02,
  revision: 0.02,
  late: 0.02,
};

/**
 * Hourly records of `cities` cities over `days` days with every fault the simulator knows: spikes, stuck sensors, gaps,
 * duplicates, revisions and late data; and one record that is none.
 */
export async function* faultyRecords(
  cities: number,
  days: number,
  changed: FaultRates = {},
): AsyncGenerator<NewRecord[]> {
  yield* simulatedRecords({
    cities: syntheticCities(cities),
    from: START,
    to: START + days * 24 * HOUR_MS,
    stepMs: HOUR_MS,
    seed: 11,
    faults: { ...FAULTS, ...changed },
  });
  yield [{ key: "City 1", value: "this is no record" }];
}
