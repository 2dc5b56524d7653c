import { formatCount, formatNumber } from "../../format.ts";
import type { CityStatistics } from "../../city-facts.ts";
import { type Scales, scalesOf, type Units } from "../../units.ts";
import { Empty } from "../../parts/notes.tsx";
import { ResultLine } from "../../parts/result.tsx";
import type { ResultOrigin } from "../../../core/analytic-job.ts";

/** The newest result of the statistics job; null before the first. */
export interface StatisticsProps {
  /** Now, ms. */
  now: number;
  result: { info: ResultOrigin; rows: CityStatistics[]; more: number } | null;
}

/** Columns of numbers, and whether a phone has room for each. */
const COLUMNS: readonly {
  name: keyof CityStatistics;
  label: string;
  meaning: string;
  scale: keyof Scales;
  phone: boolean;
}[] = [
  { name: "min", label: "Min", meaning: "Lowest temperature", scale: "temperature", phone: true },
  { name: "median", label: "Median", meaning: "Median temperature", scale: "temperature", phone: false },
  { name: "mean", label: "Mean", meaning: "Mean temperature", scale: "temperature", phone: true },
  { name: "max", label: "Max", meaning: "Highest temperature", scale: "temperature", phone: true },
  {
    name: "deviation",
    label: "σ",
    meaning: "Standard deviation of the temperature",
    scale: "temperature",
    phone: false,
  },
  { name: "humidity", label: "Humidity", meaning: "Mean relative humidity", scale: "humidity", phone: false },
  { name: "pressure", label: "Pressure", meaning: "Mean pressure", scale: "pressure", phone: false },
  { name: "wind", label: "Wind", meaning: "Mean wind speed", scale: "wind_speed", phone: false },
  { name: "rain", label: "Rain", meaning: "Total rain", scale: "rainfall", phone: false },
];

/** Statistics of every city over all that is stored. */
export function Statistics({ now, result, units }: StatisticsProps & { units: Units }): JSX.Element {
  const scales = scalesOf(units);
  if (result === null) {
    return <Empty what="No statistics yet." why="They come with the first run of city_statistics." />;
  }
  if (result.rows.length === 0) {
    return <Empty what="No statistics." why="The newest run found no observation in the lake." />;
  }
  const low = Math.min(...result.rows.map((row) => row.min ?? Infinity));
  const high = Math.max(...result.rows.map((row) => row.max ?? -Infinity));
  return (
    <>
      <ResultLine info={result.info} now={now} />
      <div class="scroll" tabindex="0" role="region" aria-labelledby="h-statistics">
        <table class="num statistics">
          <Head scales={scales} />
          <tbody>
            {result.rows.map((row) => (
              <Row row={row} low={low} high={high} scales={scales} />
            ))}
          </tbody>
        </table>
      </div>
      {result.more > 0 ? (
        <p class="note">
          <span>
            <span safe>{formatCount(result.more, "more city is", "more cities are")}</span> in{" "}
            <a href="/api/v1/statistics">the API</a>.
          </span>
        </p>
      ) : (
        ""
      )}
    </>
  );
}

function Head({ scales }: { scales: Scales }): JSX.Element {
  return (
    <thead>
      <tr>
        <th scope="col">City</th>
        <th scope="col" title="Observations with a temperature">
          n
        </th>
        <th scope="col" class="wide" title="Share of the hours with an observation">
          Coverage
        </th>
        <th scope="col" class="wide left">
          Min, 5–95 %, median, max
        </th>
        {COLUMNS.map(({ label, meaning, scale, phone }) => (
          <th scope="col" title={`${meaning}, ${scales[scale].unit}`} class={phone ? undefined : "wide"}>
            <span safe>{label}</span>
            {scale === "temperature" ? (
              ""
            ) : (
              <span class="u" safe>
                {scales[scale].unit}
              </span>
            )}
          </th>
        ))}
        <th scope="col" class="wide left">
          Mostly
        </th>
      </tr>
    </thead>
  );
}

/** A city's statistics; `low` and `high` are the ends of the scale of all. */
function Row({
  row,
  low,
  high,
  scales,
}: {
  row: CityStatistics;
  low: number;
  high: number;
  scales: Scales;
}): JSX.Element {
  return (
    <tr>
      <th scope="row" safe>
        {row.city}
      </th>
      <td safe>{formatNumber(row.n, 0)}</td>
      <td class="wide">
        <span safe>{formatNumber(row.coverage === null ? null : row.coverage * 100, 0)}</span>
        <span class="u">%</span>
      </td>
      <td class="wide left">
        <Range row={row} low={low} high={high} />
      </td>
      {COLUMNS.map(({ name, scale, phone }) => {
        const value = row[name] as number | null;
        const shown = scales[scale];
        const classes = [phone ? "" : "wide", value === null ? "missing" : ""].join(" ").trim();
        return (
          <td class={classes === "" ? undefined : classes} safe>
            {name === "deviation" ? formatNumber(shown.difference(value), shown.digits) : shown.text(value)}
          </td>
        );
      })}
      <td class="wide left" safe>
        {row.weather ?? formatNumber(null, 0)}
      </td>
    </tr>
  );
}

const WIDTH = 160;

/** Where a city's temperatures lie on one scale for all: all of them, the middle 90 %, the median. */
function Range({ row, low, high }: { row: CityStatistics; low: number; high: number }): JSX.Element {
  if (row.min === null || row.max === null) return <span class="missing">–</span>;
  const x = (value: number) =>
    Math.round((4 + ((value - low) / Math.max(1, high - low)) * (WIDTH - 8)) * 10) / 10;
  return (
    <svg class="range" viewBox={`0 0 ${WIDTH} 10`} width={WIDTH} height="10" aria-hidden="true">
      <path class="track" d={`M${x(row.min)} 5H${x(row.max)}`} />
      {row.p05 === null || row.p95 === null ? "" : <path class="bar" d={`M${x(row.p05)} 5H${x(row.p95)}`} />}
      {row.median === null ? "" : <circle cx={x(row.median)} cy="5" r="3" />}
    </svg>
  );
}
