import { DataType, type Table } from "apache-arrow";
import { HOUR_MS } from "../../../core/time.ts";
import type { JobChart } from "../../../views/pages/jobs/job-chart.tsx";
import { columnsOf, rowsOfCity } from "../../answers/result-columns.ts";

/** How a job's header says its result is drawn. */
export interface ChartHeader {
  kind: string;
  /** Columns by their part: x, y, low, middle, high, series. */
  columns: Record<string, string>;
}

/** Reads `band x=timestamp y=observed low=lower high=upper`. */
export function parseChartHeader(text: string): ChartHeader {
  const [kind = "", ...pairs] = text.split(" ");
  return { kind, columns: Object.fromEntries(pairs.map((pair) => pair.split("=", 2) as [string, string])) };
}

/** Most bars of a chart by category. */
const BARS = 40;

/**
 * What a job's chart shows of its result, or null where the header asks for none, for a kind that is not known, or for
 * columns that are not there.
 *
 * @param header as it stands in the job's file
 * @param city the one of several series to draw
 */
export function jobChart(table: Table, header: string | null, city: string | null): JobChart | null {
  if (header === null) return null;
  const { kind, columns } = parseChartHeader(header);
  const field = table.schema.fields.find(({ name }) => name === columns.x);
  const needed = Object.values(columns);
  const has = needed.every((name) => table.schema.fields.some((one) => one.name === name));
  if (!["line", "band", "range"].includes(kind) || field === undefined || !has) return null;
  const read = columnsOf(table);
  const number = (part: string, row: number) =>
    columns[part] === undefined ? null : read.number(columns[part], row);
  const middle = columns.middle === undefined ? "y" : "middle";
  const about = columns[middle] ?? "";
  if (DataType.isUtf8(field.type)) {
    const rows = rowsOfCity(table, null);
    const bars = rows.slice(0, BARS).map((row) => ({
      name: read.text(field.name, row) ?? "",
      low: number("low", row),
      middle: number(middle, row),
      high: number("high", row),
    }));
    return { kind: "bars", about, bars, more: rows.length - bars.length };
  }
  const isTime = DataType.isTimestamp(field.type) || DataType.isDate(field.type);
  const rows = rowsOfCity(table, columns.series === "city" ? city : null);
  const points = rows
    .flatMap((row) => {
      const x = read.number(field.name, row);
      return x === null
        ? []
        : [{ x, y: number(middle, row), low: number("low", row), high: number("high", row) }];
    })
    .sort((a, b) => a.x - b.x);
  return { kind: "course", about, x: field.name, isTime, points: isTime ? withBreaks(points) : points };
}

type CoursePoint = Extract<JobChart, { kind: "course" }>["points"][number];

/** Points further apart than three usual distances are not joined. */
const BREAK_INTERVALS = 3;

function withBreaks(points: CoursePoint[]): CoursePoint[] {
  const distances = points.slice(1).map(({ x }, i) => x - (points[i]?.x ?? x));
  const usual = distances.toSorted((a, b) => a - b)[distances.length >> 1] ?? HOUR_MS;
  return points.flatMap((point, i) => {
    const before = points[i - 1];
    const gap = before !== undefined && point.x - before.x > BREAK_INTERVALS * Math.max(usual, 1);
    return gap ? [{ x: (before.x + point.x) / 2, y: null, low: null, high: null }, point] : [point];
  });
}
