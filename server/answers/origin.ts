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
  /** The newest revision, which is in force. */
  newest: Provenance;
  /** The older revisions, the newest first. */
  older: Provenance[];
  results: WhyResult[];
}

/**
 * The origin of an observation, one entry for each source, sorted by name; empty if none is committed.
 *
 * @throws EngineError, CommitError, LakeError
 */
export async function whyOf(
  parts: { reader: LakeReader; lake: Lake; engine: Engine; analytics: AnalyticsService },
  key: ObservationKey,
): Promise<Why[]> {
  const { lake, analytics } = parts;
  const found = Map.groupBy(await findProvenance(parts, key), ({ row }) => row.source);
  const told: Why[] = [];
  for (const [newest, ...older] of found.values()) {
    if (newest === undefined) continue;
    const { topic, partition, row } = newest;
    const record = { topic, partition, offset: row.log_offset };
    const results: WhyResult[] = [];
    for (const { name } of analytics.jobs()) {
      const result = analytics.result(name);
      if (result === null) continue;
      const { run, generated_at, commits } = result;
      const used = await wasCommittedBy(lake, record, commits[partition] ?? 0);
      results.push({ job: name, run, generated_at, used });
    }
    told.push({ newest, older, results });
  }
  return told;
}
