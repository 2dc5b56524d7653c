import { formatSigned } from "../../format.ts";
import { lineOf, SPARK } from "../../line.ts";
import { trendOf } from "../../series.ts";
import { type Series } from "../../../core/chart-history.ts";

/**
 * The trend over three hours and the last day's course of one city, in the reader's unit. Without a series both places
 * stay empty. A change below `flatBelow` is no trend.
 */
export function Course({
  series,
  from,
  to,
  flatBelow,
}: {
  series: Series | null;
  from: number;
  to: number;
  flatBelow: number;
}): JSX.Element {
  const trend = series === null ? null : trendOf(series, flatBelow);
  const line = series === null ? { d: "", end: null } : lineOf(series, from, to, SPARK);
  return (
    <>
      <p class="trend">
        <svg class="i" aria-hidden="true">
          <use href={`#i-${trend?.direction ?? "none"}`} data-part="arrow" />
        </svg>
        <span class="fresh-only">
          <span data-part="delta" safe>
            {trend === null ? "" : formatSigned(trend.delta, 1)}
          </span>
          <span class="u" data-part="per">
            {trend === null ? "" : "/3 h"}
          </span>
        </span>
        <span class="u stale-only">last known</span>
      </p>
      <svg
        class="spark"
        viewBox={`0 0 ${SPARK.width} ${SPARK.height}`}
        width={SPARK.width}
        height={SPARK.height}
        aria-hidden="true"
      >
        <path d={line.d} data-part="line" />
        <circle cx={line.end?.x ?? 0} cy={line.end?.y ?? 0} r={line.end === null ? 0 : 2.6} data-part="end" />
      </svg>
    </>
  );
}
