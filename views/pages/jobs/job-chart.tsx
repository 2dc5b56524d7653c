import { attribute } from "../../attribute.ts";
import { formatNumber } from "../../format.ts";
import { plotScale } from "../../plot.ts";
import { timeTicks } from "../../time-ticks.ts";
import { zoneTime } from "../../zone-time.ts";
import { Empty } from "../../parts/notes.tsx";
import { Plot } from "../../parts/plot.tsx";

/** What a job's header asks to be drawn of its result, in the units of the record. */
export type JobChart =
  | {
      kind: "bars";
      /** The column of the middle. */
      about: string;
      bars: { name: string; low: number | null; middle: number | null; high: number | null }[];
      /** Rows that are not drawn. */
      more: number;
    }
  | {
      kind: "course";
      /** The column of the line. */
      about: string;
      /** The column below. */
      x: string;
      /** Whether x is ms since the epoch. */
      isTime: boolean;
      points: { x: number; y: number | null; low: number | null; high: number | null }[];
    };

const HEIGHT = 220;
const BAR = { width: 400, height: 12 };

/** A job's result as its header says. `of` names the series that is drawn, where there are several. */
export function JobChartPart({ chart, of }: { chart: JobChart; of: string | null }): JSX.Element {
  return chart.kind === "bars" ? <Bars chart={chart} /> : <Course chart={chart} of={of} />;
}

function Course({ chart, of }: { chart: JobChart & { kind: "course" }; of: string | null }): JSX.Element {
  const { about, x, isTime, points } = chart;
  const drawn = points.filter(({ y, low }) => y !== null || low !== null);
  const from = points[0]?.x ?? 0;
  const to = Math.max(points.at(-1)?.x ?? 1, from + 1);
  const words = about.replaceAll("_", " ");
  if (drawn.length === 0) {
    return <Empty what="Nothing to draw." why={`The rows hold no value of ${words}.`} />;
  }
  const time = zoneTime(null);
  const ticks = isTime
    ? timeTicks(from, to, time)
    : points
        .filter((_, i) => i % Math.ceil(points.length / 12) === 0)
        .map((point, i) => ({ x: point.x, label: formatNumber(point.x, 0), minor: i % 2 === 1 }));
  return (
    <figure>
      <Plot
        label={`${words}${of === null ? "" : ` of ${of}`} by ${x.replaceAll("_", " ")}, ${drawn.length} points`}
        from={from}
        to={to}
        height={HEIGHT}
        least={1}
        bands={[{ points, look: "interval" }]}
        lines={[{ points, look: "s1" }]}
        ticks={ticks}
      />
      <figcaption>
        <span class="leg">
          <span class="key-line"></span>
          <span safe>{of === null ? words : `${words}, ${of}`}</span>
        </span>
        {points.some(({ low }) => low !== null) ? (
          <span class="leg">
            <span class="key-band"></span>between its bounds
          </span>
        ) : (
          ""
        )}
        <span safe>{isTime ? `${x.replaceAll("_", " ")}, UTC` : x.replaceAll("_", " ")}</span>
      </figcaption>
    </figure>
  );
}

function Bars({ chart }: { chart: JobChart & { kind: "bars" } }): JSX.Element {
  const { about, bars, more } = chart;
  const scale = plotScale(
    bars.flatMap(({ low, middle, high }) => [low, middle, high]),
    1,
  );
  const x = (value: number) =>
    Math.round(((value - scale.min) / (scale.max - scale.min)) * BAR.width * 10) / 10;
  return (
    <figure>
      <dl class="bars" aria-label={attribute(about.replaceAll("_", " "))}>
        {bars.map(({ name, low, middle, high }) => (
          <div>
            <dt safe>{name}</dt>
            <dd>
              <svg
                class="range"
                viewBox={`0 0 ${BAR.width} ${BAR.height}`}
                preserveAspectRatio="none"
                width="100%"
                height={BAR.height}
                aria-hidden="true"
              >
                <path class="track" d={`M0 ${BAR.height / 2}H${BAR.width}`} />
                {low === null || high === null ? (
                  ""
                ) : (
                  <path class="bar" d={`M${x(low)} ${BAR.height / 2}H${x(high)}`} />
                )}
                {middle === null ? "" : <path class="tick" d={`M${x(middle)} 0V${BAR.height}`} />}
              </svg>
            </dd>
            <dd class="right" safe>
              {`${formatNumber(low, 1)} · ${formatNumber(middle, 1)} · ${formatNumber(high, 1)}`}
            </dd>
          </div>
        ))}
      </dl>
      <figcaption>
        <span safe>{`low · ${about.replaceAll("_", " ")} · high`}</span>
        {more > 0 ? <span safe>{`${formatNumber(more, 0)} more in the table's formats above`}</span> : ""}
      </figcaption>
    </figure>
  );
}
