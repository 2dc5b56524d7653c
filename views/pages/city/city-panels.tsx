import { isSilence } from "../../../core/quality.ts";
import { HOUR_MS } from "../../../core/time.ts";
import { VARIABLES } from "../../../core/variables.ts";
import { formatCount } from "../../format.ts";
import type { CityHistoryProps, CityPageProps } from "./city-props.ts";
import type { CityForecast } from "../../city-facts.ts";
import { valueLabel } from "../../shown-variables.ts";
import { timeTicks } from "../../time-ticks.ts";
import { type Scale, scalesOf } from "../../units.ts";
import { type ZoneTime, zoneTime } from "../../zone-time.ts";
import { Empty, Failed } from "../../parts/notes.tsx";
import { Plot, type PlotLine, type PlotProps } from "../../parts/plot.tsx";

/** Heights of the panels, px: what a city is looked up for has the large one. */
const HEIGHTS = { temperature: 260, other: 72 };

/** The time shown, in words. */
export function stretch({ window }: CityPageProps, time: ZoneTime): string {
  return `${time.short(window.from)} to ${time.short(window.to)}`;
}

/** A panel for each variable over the time shown, or why there is none. */
export function Panels(props: CityHistoryProps & { time: ZoneTime }): JSX.Element {
  const { place, range, history, units, asOf, window, time } = props;
  const shownTime = window.zoomed ? stretch(props, time) : `the last ${range.label}`;
  if (history === null) {
    return (
      <Failed
        what={`Cannot read ${shownTime}.`}
        todo="The newest values above are right. Reload the page to try again."
      />
    );
  }
  const coming = comingOf(props);
  if (history.rows === 0 && coming.length === 0) {
    return (
      <Empty
        what={window.zoomed ? `No report from ${shownTime}.` : `No report in ${shownTime}.`}
        why={
          window.zoomed
            ? "Earlier, later or a longer time above may have some."
            : "A longer range above may have some; a new report appears by itself."
        }
      />
    );
  }
  const scales = scalesOf(units);
  const from = window.from / 1000;
  const to = window.to / 1000;
  const ticks = timeTicks(window.from, window.to, time, 1000);
  const shown = history.lines.filter(
    ({ variable, points }) =>
      points.some(({ y }) => y !== null) || (variable === "temperature" && coming.length > 0),
  );
  const missing = history.lines.filter((line) => !shown.includes(line) && VARIABLES[line.variable].contract);
  const silent = history.rows === 0 ? [] : missing;
  return (
    <figure class="panels">
      {shown.map(({ variable, points }, i) => {
        const { range: possible, chart } = VARIABLES[variable];
        const label = valueLabel(variable);
        const scale = scales[variable];
        const own: PlotLine = { points: inUnit(points, scale), look: "s1" };
        const extra = variable === "temperature" ? temperatureExtras(props, coming, scale) : { lines: [] };
        return (
          <div class="panel">
            <h3>
              <span safe>{label}</span>{" "}
              <span class="u" safe>
                {scale.unit}
              </span>
            </h3>
            <Plot
              label={`${label} of ${place.name}, ${shownTime}${variable === "temperature" && extra.lines.length > 0 ? ", then the forecast" : ""}: ${extremes(own, scale)}`}
              from={from}
              to={to}
              height={variable === "temperature" ? HEIGHTS.temperature : HEIGHTS.other}
              least={scale.difference(chart?.least) ?? 1}
              floor={scale.of(possible[0]) ?? -Infinity}
              ceiling={scale.of(chart?.ceiling ?? possible[1]) ?? Infinity}
              gaps={history.gaps}
              now={asOf / 1000}
              ticks={i === shown.length - 1 || i === 0 ? ticks : []}
              {...extra}
              lines={[...extra.lines, own]}
            />
          </div>
        );
      })}
      <Key {...props} coming={coming} />
      {silent.length === 0 ? (
        ""
      ) : (
        <p class="u from" safe>
          {`Not reported by this source: ${silent.map(({ variable }) => VARIABLES[variable].meaning.toLowerCase()).join(", ")}.`}
        </p>
      )}
    </figure>
  );
}

type ForecastPoint = CityForecast["points"][number];

/** The forecast as far as it is shown, and an hour beyond each edge so that its line reaches it. */
function comingOf({ forecast, window }: CityPageProps): readonly ForecastPoint[] {
  if (forecast?.ok !== true) return [];
  const [from, to] = [window.from - HOUR_MS, window.to + HOUR_MS];
  const near = forecast.points.filter(({ time }) => time > from && time < to);
  return near.some(({ time }) => time >= window.from && time <= window.to) ? near : [];
}

/** What only the temperature has: what is usual, the forecast with its interval, another city, marks. */
function temperatureExtras(
  { band, compare, compared, marks, units, place }: CityHistoryProps,
  coming: readonly ForecastPoint[],
  scale: Scale,
): Pick<PlotProps, "lines" | "bands" | "marks"> {
  const time = zoneTime(units.time === "city" ? place.zone : null);
  return {
    bands: [
      {
        points: band.map(({ x, low, high }) => ({ x, low: scale.of(low), high: scale.of(high) })),
        look: "usual",
      },
      {
        points: coming.map((point) => ({
          x: point.time / 1000,
          low: scale.of(point.lower),
          high: scale.of(point.upper),
        })),
        look: "interval",
      },
    ],
    lines: [
      ...(compare === null ? [] : [{ points: inUnit(compared, scale), look: "s4" }]),
      ...(coming.length === 0
        ? []
        : [
            {
              points: coming.map((point) => ({ x: point.time / 1000, y: scale.of(point.value) })),
              look: "s1 forecast",
            },
          ]),
    ],
    marks: marks.flatMap(({ kind, observed, expected, time: at }) => {
      const y = isSilence(kind) || kind === "stuck" ? null : scale.of(observed);
      if (y === null) return [];
      const title = `${time.short(at)}: ${scale.text(observed)} ${scale.unit}, expected ${scale.text(expected)}`;
      return [{ x: at / 1000, y, title }];
    }),
  };
}

function Key({
  band,
  coming,
  compare,
  place,
  history,
  marks,
}: CityHistoryProps & { coming: readonly ForecastPoint[] }): JSX.Element {
  return (
    <figcaption>
      <span class="leg">
        <span class="key-line"></span>
        <span safe>{compare === null ? "observed" : place.name}</span>
      </span>
      {compare === null ? (
        ""
      ) : (
        <span class="leg">
          <span class="key-line is-other"></span>
          <span safe>{compare.name}</span>
        </span>
      )}
      {coming.length > 0 ? (
        <span class="leg">
          <span class="key-band"></span>forecast with its 90 % interval
        </span>
      ) : (
        ""
      )}
      {band.length === 0 ? (
        ""
      ) : (
        <span class="leg">
          <span class="key-usual"></span>usual for the season and hour
        </span>
      )}
      {marks.length === 0 ? (
        ""
      ) : (
        <span class="leg">
          <span class="key-mark"></span>unusual
        </span>
      )}
      {(history?.gaps.length ?? 0) === 0 ? (
        ""
      ) : (
        <span class="leg">
          <span class="key-gap"></span>
          <span safe>{`no data, ${formatCount(history?.gaps.length ?? 0, "time", "times")}`}</span>
        </span>
      )}
    </figcaption>
  );
}

function inUnit(points: PlotLine["points"], scale: Scale): PlotLine["points"] {
  return points.map(({ x, y }) => ({ x, y: scale.of(y) }));
}

/** Lowest and highest of a line that is in the reader's unit already, in words. */
function extremes({ points }: PlotLine, { unit, digits }: Scale): string {
  let min = Infinity;
  let max = -Infinity;
  for (const { y } of points) {
    if (y === null) continue;
    min = Math.min(min, y);
    max = Math.max(max, y);
  }
  return min > max ? "no value" : `from ${min.toFixed(digits)} to ${max.toFixed(digits)} ${unit}`;
}
