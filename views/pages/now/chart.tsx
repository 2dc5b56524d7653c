import { attribute } from "../../attribute.ts";
import { describeHistory, describeRange } from "../../describe.ts";
import { formatNumber } from "../../format.ts";
import { lineOf } from "../../line.ts";
import { freshOf, rangeOf } from "../../series.ts";
import { type History } from "../../../core/chart-history.ts";

const BOX = { width: 1000, height: 320, pad: 6 };
/** Points of a line in the picture that stands until the live chart takes its place. */
const POINTS = 240;

/**
 * The temperature chart of the charted cities: a picture and numbers at once, live as soon as its script runs.
 *
 * @param props.focus the city to bring forward, or null for the warmest
 * @param props.unit of the values
 * @param props.staleAfterSeconds an older value is not shown as the newest
 */
export function Chart({
  history,
  focus,
  staleAfterSeconds,
  unit,
}: {
  history: History;
  focus: string | null;
  staleAfterSeconds: number;
  unit: string;
}): JSX.Element {
  const range = rangeOf(history.series);
  const ordered = history.series
    .map((series, index) => ({ series, index, now: freshOf(series, history.to - staleAfterSeconds) }))
    .sort((a, b) => (b.now ?? -Infinity) - (a.now ?? -Infinity));
  const forward = ordered.find(({ series }) => series.city === focus) ?? ordered[0];
  return (
    <figure class="with-legend">
      <iso-chart class="chart" role="img" aria-label={attribute(describeHistory(history, unit))}>
        <svg viewBox={`0 0 ${BOX.width} ${BOX.height}`} preserveAspectRatio="none" aria-hidden="true">
          {history.series.map((series, i) => (
            <path
              class={`line s${i + 1}`}
              d={lineOf(series, history.from, history.to, BOX, range, POINTS).d}
            />
          ))}
        </svg>
      </iso-chart>
      <ul class="legend" aria-label="Cities; press one to bring it forward">
        {ordered.map(({ series, index, now }) => (
          <li>
            <button
              type="button"
              data-focus={attribute(series.city)}
              aria-pressed={index === forward?.index ? "true" : "false"}
            >
              <svg class={`swatch s${index + 1}`} viewBox="0 0 22 8" width="22" height="8" aria-hidden="true">
                <path d="M1 4h20" />
              </svg>
              <span safe>{series.city}</span>
              <output safe>{formatNumber(now, 1)}</output>
            </button>
          </li>
        ))}
      </ul>
      <figcaption>
        <span class="leg">
          <span class="key-gap"></span>no data
        </span>
        <span class="leg" data-part="range" safe>
          {describeRange(range)}
        </span>
      </figcaption>
    </figure>
  );
}
