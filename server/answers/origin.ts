import type { AnalyticsService } from "../../jobs/analytics/analytics.ts";
import {
  type ObservationKey,
  type Provenance,
  findProvenance,
  wasCommittedBy,
} from "../../jobs/readers/provenance.ts";
import type { LakeReader } from "../../jobs/readers/lake-reader.ts";
import type { Lake } from "../../jobs/lake/lake.ts";
import type { Engine } from "../../spark/engine.ts";
import type { WhyResult } from "../../core/explanation.ts";

/** The origin of one source's observation, and the results that used it. */
export interface Why {
  /** The newest revision that is not retracted, which is in force; the newest of all where none is. */
  newest: Provenance;
  /** The others, the newest first. */
  others: Provenance[];
  results: WhyResult[];
}

/**
 * The origin of an observation, one entry for each source, sorted by name; empty if none is committed.
 *
 * @param parts.version of the present judging
 * @throws EngineError, CommitError, LakeError
 */
export async function whyOf(
  parts: { reader: LakeReader; lake: Lake; engine: Engine; version: string; analytics: AnalyticsService },
  key: ObservationKey,
): Promise<Why[]> {
  const { lake, analytics } = parts;
  const found = Map.groupBy(await findProvenance(parts, key), ({ row }) => row.source);
  const told: Why[] = [];
  for (const all of found.values()) {
    const newest = all.find(({ retraction }) => retraction === null) ?? all[0];
    if (newest === undefined) continue;
    const others = all.filter((one) => one !== newest);
    const { topic, partition, row } = newest;
    const record = { topic, partition, offset: row.log_offset };
    const results: WhyResult[] = [];
    for (const { name } of analytics.jobs()) {
      const result = analytics.result(name);
      if (result === null) continue;
      const { run, generated_at, commits } = result;
      const sequence = commits[partition] ?? 0;
      const isGone = newest.retractedBy !== null && newest.retractedBy <= sequence;
      const used = isGone ? false : await wasCommittedBy(lake, record, sequence);
      results.push({ job: name, run, generated_at, used });
    }
    told.push({ newest, others, results });
  }
  return told;
}
