import { formatTimestamp } from "../../../core/time.ts";
import { type Variable, VARIABLES } from "../../../core/variables.ts";
import { attribute } from "../../attribute.ts";
import { formatNumber } from "../../format.ts";
import { heatClass } from "../../parts/forecast-ribbon.tsx";
import { Formats } from "../../parts/formats.tsx";
import { Empty } from "../../parts/notes.tsx";
import { Plot } from "../../parts/plot.tsx";
import { ResultLine } from "../../parts/result.tsx";
import type { PlotPoint } from "../../plot.ts";
import type { ResultOrigin } from "../../../core/analytic-job.ts";
import { timeTicks } from "../../time-ticks.ts";
import { type Scale, scalesOf, type Units } from "../../units.ts";
import { type ZoneTime, zoneTime } from "../../zone-time.ts";

/** Variables with a trend, those of which the job computes a mean of each hour, by their name in the address. */
export const TREND_VARIABLES = {
  temperature: "temperature",
  humidity: "humidity",
  pressure: "pressure",
  wind: "wind_speed",
} as const satisfies Record<string, Variable>;

/** Windows, hours back, by their name in the address. */
export const TREND_RANGES = { "24h": 24, "48h": 48, "7d": 168 } as const;

/** One city's hours in the units of the record; x is ms. */
export interface CityTrend {
  name: string;
  slug: string;
  zone: string | null;
  points: PlotPoint[];
  /** Its usual day over the window: the mean of each hour of the day (of the clock that is shown), °C; null without one. */
  byHour: (number | null)[];
}

/** What the page of trends shows. */
export interface TrendsPageProps {
  now: number;
  units: Units;
  variable: keyof typeof TREND_VARIABLES;
  range: keyof typeof TREND_RANGES;
  /** Null before the job's first run. */
  result: { info: ResultOrigin; from: number; to: number; cities: CityTrend[] } | null;
}

/** Cities with a line of their own colour. */
const COLOURS = 8;

/** How each city's weather went from hour to hour, and its usual day. */
export function TrendsPage(props: TrendsPageProps): JSX.Element {
  const { result, variable, range, units, now } = props;
  const name = TREND_VARIABLES[variable];
  const { label, chart } = VARIABLES[name];
  const scale = scalesOf(units)[name];
  const time = zoneTime(null);
  return (
    <>
      <div class="headline">
        <h1 safe>{answerOf(props, scale)}</h1>
        <p class="asof">Means of each hour; what failed quality control is left out.</p>
      </div>
      <section aria-labelledby="h-trends">
        <div class="bar">
          <h2 id="h-trends">
            <span safe>{label}</span>{" "}
            <span class="count" safe>
              {`${scale.unit}, hourly, UTC`}
            </span>
          </h2>
          <div class="segs">
            <Links
              kind="Variable"
              current={variable}
              all={Object.entries(TREND_VARIABLES).map(([id, one]) => [id, VARIABLES[one].label])}
              href={(id) => `/trends?variable=${id}&range=${range}`}
            />
            <Links
              kind="Range"
              current={range}
              all={Object.keys(TREND_RANGES).map((id) => [id, id])}
              href={(id) => `/trends?variable=${variable}&range=${id}`}
            />
            <Formats path="/api/v1/trends" of="the trends" />
          </div>
        </div>
        {result === null ? (
          <Empty what="No trend yet." why="It comes with the first run of the job hourly_trends." />
        ) : result.cities.every(({ points }) => points.every(({ y }) => y === null)) ? (
          <Empty what="No value in this time." why="A longer range or another variable may have some." />
        ) : (
          <Lines result={result} scale={scale} label={label} least={chart?.least ?? 1} time={time} />
        )}
      </section>
      {result === null || result.cities.length === 0 ? (
        ""
      ) : (
        <section aria-labelledby="h-heat">
          <div class="bar">
            <h2 id="h-heat">
              Usual day{" "}
              <span class="count" safe>
                {`mean of each hour of the day over ${range}, ${scale.unit}, ${units.time === "city" ? "local time of each city" : "UTC"}`}
              </span>
            </h2>
          </div>
          <HeatMap cities={result.cities} scale={scale} shaded={variable === "temperature"} />
          <ResultLine info={result.info} now={now} />
        </section>
      )}
    </>
  );
}

/** Who rose or fell most over the window's last three hours. */
function answerOf({ result, variable }: TrendsPageProps, scale: Scale): string {
  const changes = (result?.cities ?? []).flatMap(({ name, points }) => {
    const last = points.at(-1);
    const before = points.find(({ x }) => last !== undefined && x === last.x - 3 * 3_600_000);
    return last?.y == null || before?.y == null ? [] : [{ name, change: last.y - before.y }];
  });
  const [first] = changes;
  const { label } = VARIABLES[TREND_VARIABLES[variable]];
  if (first === undefined) return `${label} from hour to hour`;
  const most = changes.reduce((a, b) => (Math.abs(b.change) > Math.abs(a.change) ? b : a), first);
  const size = formatNumber(Math.abs(scale.difference(most.change) ?? 0), scale.digits);
  const hours = "within 3 hours";
  if (Number(size) === 0) return `${label} in ${most.name} stayed the same ${hours}`;
  return `${label} in ${most.name} ${most.change < 0 ? "fell" : "rose"} by ${size} ${scale.unit} ${hours}`;
}

function Links({
  kind,
  current,
  all,
  href,
}: {
  kind: string;
  current: string;
  all: [string, string][];
  href: (id: string) => string;
}): JSX.Element {
  return (
    <nav class="seg" aria-label={kind}>
      {all.map(([id, label]) => (
        <a href={attribute(href(id))} aria-current={id === current ? "true" : undefined} safe>
          {label}
        </a>
      ))}
    </nav>
  );
}

function Lines({
  result,
  scale,
  label,
  least,
  time,
}: {
  result: NonNullable<TrendsPageProps["result"]>;
  scale: Scale;
  label: string;
  least: number;
  time: ZoneTime;
}): JSX.Element {
  const { from, to } = result;
  const cities = result.cities.slice(0, COLOURS);
  return (
    <figure>
      <Plot
        label={`${label} of ${cities.map(({ name }) => name).join(", ")}, hour by hour`}
        from={from}
        to={to}
        height={280}
        least={scale.difference(least) ?? least}
        lines={cities.map(({ points }, i) => ({
          points: points.map(({ x, y }) => ({ x, y: scale.of(y) })),
          look: `s${i + 1}`,
        }))}
        ticks={timeTicks(from, to, time)}
      />
      <ul class="legend row" aria-label="Cities">
        {cities.map(({ name, slug, points }, i) => (
          <li>
            <a href={`/cities/${encodeURIComponent(slug)}`}>
              <svg class={`swatch s${i + 1}`} viewBox="0 0 22 8" width="22" height="8" aria-hidden="true">
                <path d="M1 4h20" />
              </svg>
              <span safe>{name}</span>
            </a>{" "}
            <b safe>{scale.text(points.at(-1)?.y)}</b>
          </li>
        ))}
      </ul>
    </figure>
  );
}

/** Cities by hour of the day: a number and, for temperatures, its shade. */
function HeatMap({
  cities,
  scale,
  shaded,
}: {
  cities: CityTrend[];
  scale: Scale;
  shaded: boolean;
}): JSX.Element {
  const digits = scale.unit === "inHg" ? 1 : 0;
  return (
    <div class="scroll" tabindex="0" role="region" aria-labelledby="h-heat">
      <table class="heat">
        <thead>
          <tr>
            <th scope="col">City</th>
            {Array.from({ length: 24 }, (_, hour) => (
              <th scope="col" safe>
                {String(hour).padStart(2, "0")}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {cities.map(({ name, slug, byHour }) => (
            <tr>
              <th scope="row">
                <a href={`/cities/${encodeURIComponent(slug)}`} safe>
                  {name}
                </a>
              </th>
              {byHour.map((value) => (
                <td class={value === null ? "missing" : shaded ? heatClass(value) : undefined} safe>
                  {formatNumber(scale.of(value), digits)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      <p
        class="vh"
        safe
      >{`Newest hour ${formatTimestamp(Math.max(0, ...cities.map(({ points }) => points.at(-1)?.x ?? 0)))}`}</p>
    </div>
  );
}
