import { attribute } from "../attribute.ts";
import { formatCount } from "../format.ts";
import type { CityPageProps, PlottedVariable } from "../pages/city-props.ts";
import { RANGES } from "../pages/city-props.ts";
import { timeTicks } from "../time-ticks.ts";
import { type Scale, type Scales, scalesOf } from "../units.ts";
import { type ZoneTime, zoneTime } from "../zone-time.ts";
import { Empty, Failed } from "./notes.tsx";
import { Plot, type PlotLine, type PlotProps } from "./plot.tsx";

/** How the panels look: the smallest range worth drawing in the unit of the record, and bounds by nature. */
const PANELS: Record<
  PlottedVariable,
  { title: string; scale: keyof Scales; height: number; least: number; floor?: number; ceiling?: number }
> = {
  temperature: { title: "Temperature", scale: "temperature", height: 260, least: 4 },
  pressure: { title: "Pressure", scale: "pressure", height: 72, least: 8 },
  humidity: { title: "Humidity", scale: "humidity", height: 72, least: 30, floor: 0, ceiling: 100 },
  wind_speed: { title: "Wind", scale: "wind", height: 72, least: 4, floor: 0 },
  rainfall: { title: "Rain of the last hour", scale: "rain", height: 72, least: 1, floor: 0 },
};

/** A city's past and what comes next, a panel for each variable over one time. */
export function CityHistoryPart(props: CityPageProps): JSX.Element {
  const { place, range, units, compare } = props;
  const time = zoneTime(units.time === "city" ? place.zone : null);
  return (
    <section aria-labelledby="h-history">
      <div class="bar">
        <h2 id="h-history">
          History and forecast{" "}
          <span class="count" safe>
            {`${range.label}, next ${range.forecastHours} h, ${time.name(props.asOf)}`}
          </span>
        </h2>
        <div class="segs">
          <nav class="seg" aria-label="Range">
            {RANGES.map(({ name, label }) => (
              <a
                href={attribute(addressOf(props, name))}
                aria-current={name === range.name ? "true" : undefined}
              >
                {label}
              </a>
            ))}
          </nav>
          {props.others.length === 0 ? "" : <CompareForm {...props} />}
        </div>
      </div>
      <Panels {...props} time={time} />
      {compare !== null && compare.points.length === 0 ? (
        <Empty what={`Nothing of ${compare.name} to compare with.`} why="It has no report in this time." />
      ) : (
        ""
      )}
    </section>
  );
}

function addressOf({ place, compare }: CityPageProps, range: string): string {
  const query = new URLSearchParams({ range, ...(compare === null ? {} : { compare: compare.slug }) });
  return `/cities/${encodeURIComponent(place.slug)}?${query}`;
}

function CompareForm({ place, range, others, compare }: CityPageProps): JSX.Element {
  return (
    <form class="filter" method="get" action={`/cities/${encodeURIComponent(place.slug)}`}>
      <input type="hidden" name="range" value={range.name} />
      <label for="compare">Compare with</label>
      <select id="compare" name="compare">
        <option value="">no other city</option>
        {others.map(({ name, slug }) => (
          <option value={attribute(slug)} selected={slug === compare?.slug} safe>
            {name}
          </option>
        ))}
      </select>
      <button type="submit">Show</button>
    </form>
  );
}

function Panels(props: CityPageProps & { time: ZoneTime }): JSX.Element {
  const { place, range, history, units, asOf, forecast, time } = props;
  if (history === null) {
    return (
      <Failed
        what={`Cannot read the last ${range.label}.`}
        todo="The newest values above are right. Reload the page to try again."
      />
    );
  }
  if (history.rows === 0) {
    return (
      <Empty
        what={`No report in the last ${range.label}.`}
        why="A longer range above may have some; a new report appears by itself."
      />
    );
  }
  const scales = scalesOf(units);
  const from = history.from;
  const end = Math.min(
    asOf / 1000 + range.forecastHours * 3600,
    Math.max(asOf, forecast?.ok === true ? (forecast.points.at(-1)?.time ?? 0) : 0) / 1000,
  );
  const to = Math.max(history.to, end);
  const ticks = timeTicks(from * 1000, to * 1000, time, 1000);
  const shown = history.lines.filter(({ points }) => points.some(({ y }) => y !== null));
  const silent = history.lines.filter((line) => !shown.includes(line));
  return (
    <figure class="panels">
      {shown.map(({ variable, points }, i) => {
        const panel = PANELS[variable];
        const scale = scales[panel.scale];
        const own: PlotLine = { points: inUnit(points, scale), look: "s1" };
        const extra = variable === "temperature" ? temperatureExtras(props, scale, to) : { lines: [] };
        return (
          <div class="panel">
            <h3>
              <span safe>{panel.title}</span>{" "}
              <span class="u" safe>
                {scale.unit}
              </span>
            </h3>
            <Plot
              label={`${panel.title} of ${place.name} over ${range.label}${variable === "temperature" && extra.lines.length > 0 ? ", then the forecast" : ""}: ${extremes(own, scale)}`}
              from={from}
              to={to}
              height={panel.height}
              least={scale.difference(panel.least) ?? 1}
              {...(panel.floor === undefined ? {} : { floor: panel.floor })}
              {...(panel.ceiling === undefined ? {} : { ceiling: panel.ceiling })}
              gaps={history.gaps}
              now={asOf / 1000}
              ticks={i === shown.length - 1 || i === 0 ? ticks : []}
              {...extra}
              lines={[...extra.lines, own]}
            />
          </div>
        );
      })}
      <Key {...props} />
      {silent.length === 0 ? (
        ""
      ) : (
        <p class="u from" safe>
          {`Not reported by this source: ${silent.map(({ variable }) => PANELS[variable].title.toLowerCase()).join(", ")}.`}
        </p>
      )}
    </figure>
  );
}

/** What only the temperature has: what is usual, the forecast with its interval, another city, marks. */
function temperatureExtras(
  { band, forecast, compare, anomalies, units, place }: CityPageProps,
  scale: Scale,
  to: number,
): Pick<PlotProps, "lines" | "bands" | "marks"> {
  const coming = (forecast?.ok === true ? forecast.points : []).filter(({ time }) => time / 1000 <= to);
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
      ...(compare === null ? [] : [{ points: inUnit(compare.points, scale), look: "s4" }]),
      ...(coming.length === 0
        ? []
        : [
            {
              points: coming.map((point) => ({ x: point.time / 1000, y: scale.of(point.value) })),
              look: "s1 forecast",
            },
          ]),
    ],
    marks: (anomalies.result?.rows ?? []).flatMap(({ kind, observed, expected, time: at }) => {
      const y = kind === "silent" || kind === "stuck" ? null : scale.of(observed);
      if (y === null) return [];
      const title = `${time.short(at)}: ${scale.text(observed)} ${scale.unit}, expected ${scale.text(expected)}`;
      return [{ x: at / 1000, y, title }];
    }),
  };
}

function Key({ band, forecast, compare, place, history, anomalies }: CityPageProps): JSX.Element {
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
      {forecast?.ok === true ? (
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
      {(anomalies.result?.rows.length ?? 0) === 0 ? (
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
