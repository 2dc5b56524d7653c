import { type Flag, flagOf } from "../../../core/quality.ts";
import { parseTimestamp } from "../../../core/time.ts";
import { CHARTED_VARIABLES, VARIABLE_NAMES } from "../../../core/variables.ts";
import type { CityHistory, QualityCount } from "../../../views/pages/city/city-props.ts";
import { PLOT_WIDTH } from "../../../views/plot.ts";
import { GapFinder } from "../../answers/chart-history.ts";
import { Downsampler } from "../../answers/downsample.ts";
import type { RowQuery } from "../../../jobs/readers/lake-queries.ts";
import type { Services } from "../../answers/services.ts";

/** Most points of a line: lowest, highest and a break for each pixel of the large panel, and a third of that for the others. */
const POINTS = { temperature: 3 * PLOT_WIDTH, other: PLOT_WIDTH };
/** Rows read at a time. */
const PAGE = 5_000;

/** Which part of a city's past is shown, ms: from inclusive, to exclusive. */
export interface CityHistoryQuery {
  city: string;
  from: number;
  to: number;
}

/**
 * A city's past as its page draws it: each variable thinned to its lowest and highest in each stretch, gaps as breaks, and
 * how many of the values passed quality control. What has failed is counted and not drawn.
 *
 * @throws whatever the lake or the engine throws
 */
export async function readCityHistory(services: Services, query: CityHistoryQuery): Promise<CityHistory> {
  const { city, from, to } = query;
  const samplers = CHARTED_VARIABLES.map(
    (variable) =>
      new Downsampler(from / 1000, to / 1000, variable === "temperature" ? POINTS.temperature : POINTS.other),
  );
  const gaps = new GapFinder(services.about.staleAfterSeconds);
  const breaks: { from: number; to: number }[] = [];
  const quality: QualityCount[] = VARIABLE_NAMES.map((variable) => ({
    variable,
    good: 0,
    suspect: 0,
    failed: 0,
    missing: 0,
    unjudged: 0,
  }));
  let rows = 0;
  let last: number | undefined;
  let after: RowQuery["after"] = null;
  for (;;) {
    const page = await services.observations({ city, from, to, limit: PAGE, after });
    for (const row of page.rows) {
      rows++;
      const t = parseTimestamp(row.timestamp) / 1000;
      const gap = gaps.before(t);
      if (gap !== undefined && last !== undefined) breaks.push({ from: last, to: t });
      last = t;
      VARIABLE_NAMES.forEach((variable, i) =>
        count(quality[i], (row[variable] ?? null) === null ? 9 : row[`${variable}_flag`]),
      );
      CHARTED_VARIABLES.forEach((variable, i) => {
        if (gap !== undefined) samplers[i]?.push(gap, null);
        samplers[i]?.push(t, flagOf(row, variable) === 4 ? null : (row[variable] ?? null));
      });
    }
    const end = page.rows.at(-1);
    if (!page.more || end === undefined) break;
    after = { timestamp: end.timestamp, city: end.city, source: end.source };
  }
  const lines = CHARTED_VARIABLES.map((variable, i) => ({
    variable,
    points: samplers[i]?.points().map(({ t, v }) => ({ x: t, y: v })) ?? [],
  }));
  return { from: from / 1000, to: to / 1000, rows, lines, gaps: breaks, quality };
}

function count(counts: QualityCount | undefined, flag: Flag): void {
  if (counts === undefined) return;
  const name = { 1: "good", 2: "unjudged", 3: "suspect", 4: "failed", 9: "missing" } as const;
  counts[name[flag]]++;
}
