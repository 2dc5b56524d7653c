import type { VerdictFacts } from "../../core/verdict.ts";
import { NOW } from "./fake-services.ts";

/** Three cities on time and judged, of which nothing is unusual; changed as wanted. */
export function verdictFacts(changes: Partial<VerdictFacts> = {}): VerdictFacts {
  const { cities = 3, unjudged = [], silent = [] } = changes;
  return {
    asOf: NOW,
    isRecording: false,
    cities,
    late: [],
    silent,
    unusual: [],
    judged: cities - unjudged.length - silent.length,
    unjudged,
    ...changes,
  };
}
