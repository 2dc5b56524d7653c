import { formatCount, formatNumber } from "../format.ts";
import type { CityStatistics, StatisticsProps } from "../props.ts";
import { Empty } from "./notes.tsx";
import { ResultLine } from "./result.tsx";

/** Columns of numbers: heading, unit, its meaning, decimals, whether a phone has room for it. */
const COLUMNS: readonly [keyof CityStatistics, string, string, string, number, boolean][] = [
  ["min", "Min", "", "Lowest temperature, °C", 1, true],
  ["median", "Median", "", "Median temperature, °C", 1, false],
  ["mean", "Mean", "", "Mean temperature, °C", 1, true],
  ["max", "Max", "", "Highest temperature, °C", 1, true],
  ["deviation", "σ", "", "Standard deviation of the temperature, °C", 1, false],
  ["humidity", "Humidity", "%", "Mean relative humidity, %", 0, false],
  ["pressure", "Pressure", "hPa", "Mean pressure, hPa", 0, false],
  ["wind", "Wind", "m/s", "Mean wind speed, m/s", 1, false],
  ["rain", "Rain", "mm", "Total rain, mm", 1, false],
];

/** Statistics of every city over all that is stored. */
export function Statistics({ now, result }: StatisticsProps): JSX.Element {
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
              {COLUMNS.map(([, label, unit, title, , phone]) => (
                <th scope="col" title={title} class={phone ? undefined : "wide"}>
                  <span safe>{label}</span>
                  {unit === "" ? (
                    ""
                  ) : (
                    <span class="u" safe>
                      {unit}
                    </span>
                  )}
                </th>
              ))}
              <th scope="col" class="wide left">
                Mostly
              </th>
            </tr>
          </thead>
          <tbody>
            {result.rows.map((row) => (
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
                {COLUMNS.map(([name, , , , digits, phone]) => {
                  const value = row[name] as number | null;
                  const classes = [phone ? "" : "wide", value === null ? "missing" : ""].join(" ").trim();
                  return (
                    <td class={classes === "" ? undefined : classes} safe>
                      {formatNumber(value, digits)}
                    </td>
                  );
                })}
                <td class="wide left" safe>
                  {row.weather ?? formatNumber(null, 0)}
                </td>
              </tr>
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
