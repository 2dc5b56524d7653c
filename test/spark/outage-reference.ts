import type { Row } from "../../core/observation.ts";
import { DAY_MS } from "../../core/time.ts";

type Cells = Record<string, unknown>;

interface Gap {
  cells: Cells;
  source: string;
  from: number;
  middle: number;
  to: number;
  isOpen: boolean;
}

/**
 * Judgements with the silences of most series at once made one outage: moment for moment, by counting who is silent then.
 *
 * @param judged as each series judges itself
 * @param series the reports of each series that were judged, in time order
 */
export function withOutages(judged: readonly Cells[], series: readonly (readonly Row[])[]): Cells[] {
  const timeOf = ({ timestamp }: { timestamp?: unknown }) => Date.parse(String(timestamp));
  const alive = series.map((reports) => {
    const last = reports.at(-1)!;
    const isHistory = Date.parse(last.ingested_at) - timeOf(last) > DAY_MS;
    return { source: last.source, from: timeOf(reports[0]!), to: isHistory ? timeOf(last) : Infinity };
  });
  const ends = new Map(
    series.map((reports) => [`${reports[0]!.city} ${reports[0]!.source}`, timeOf(reports.at(-1)!)]),
  );
  const gaps = judged.flatMap((cells): Gap[] => {
    const { kind, status, score, observed, city, source } = cells;
    if (kind !== "silent" || status === "insufficient data" || (score as number) < 1.5) return [];
    const from = timeOf(cells);
    const minutes = observed as number;
    return [
      {
        cells,
        source: String(source),
        from,
        middle: from + minutes * 30_000,
        to: from + minutes * 60_000,
        isOpen: ends.get(`${String(city)} ${String(source)}`) === from,
      },
    ];
  });
  /** Outages among some series: the gaps of each, by the moments at which most are silent. */
  const outagesOf = (own: readonly Gap[], living: typeof alive): Map<Gap, number> => {
    // The moments at which a count may change, in order: beginnings, middles and ends, the first and last reports.
    const moments = [
      ...own.flatMap((gap) => [
        [gap.from, 0],
        [gap.middle, 1],
        [gap.to, 2],
      ]),
      ...living.flatMap(({ from, to }) => [
        [from, 0],
        [to, 0],
      ]),
    ].filter(([moment]) => moment !== Infinity) as [number, number][];
    moments.sort(([a, i], [b, j]) => a - b || i - j);
    const isOut = ([moment, event]: [number, number]) => {
      const silent = own.filter(
        ({ from, to }) => from <= moment && (moment < to || (moment === to && event < 2)),
      );
      const reporting = living.filter(({ from, to }) => from <= moment && moment < to);
      return silent.length > 1 && 2 * silent.length > reporting.length;
    };
    const result = new Map<Gap, number>();
    let number = 0;
    for (const moment of moments) {
      if (!isOut(moment)) number++;
      else for (const gap of own) if (moment[1] === 1 && gap.middle === moment[0]) result.set(gap, number);
    }
    return result;
  };
  const all = outagesOf(gaps, alive);
  const outages = new Map<string, Gap[]>();
  for (const source of new Set(alive.map((one) => one.source))) {
    const mine = gaps.filter((gap) => gap.source === source);
    const own = outagesOf(
      mine,
      alive.filter((one) => one.source === source),
    );
    for (const gap of mine) {
      if (gap.cells.status !== "anomaly") continue;
      const name = all.has(gap) ? `all ${all.get(gap)}` : own.has(gap) ? `${source} ${own.get(gap)}` : null;
      if (name !== null) outages.set(name, [...(outages.get(name) ?? []), gap]);
    }
  }
  const changed = new Map<Cells, Cells>();
  for (const group of outages.values()) {
    const order = ({ cells }: Gap) => `${String(cells.city)} ${String(cells.source)}`;
    group.sort(
      (a, b) =>
        (b.cells.observed as number) - (a.cells.observed as number) ||
        (order(a) < order(b) ? -1 : order(a) > order(b) ? 1 : a.from - b.from),
    );
    for (const [place, gap] of group.entries()) {
      const told = {
        kind: "outage",
        method: "minutes without a report of most series at once",
        n: group.length,
        severity: gap.isOpen ? 2 : 1,
      };
      changed.set(gap.cells, {
        ...gap.cells,
        ...(place === 0 ? told : { status: "outage", severity: null }),
      });
    }
  }
  return judged.map((cells) => changed.get(cells) ?? cells);
}
