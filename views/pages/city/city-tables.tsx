import { formatTimestamp } from "../../../core/time.ts";
import type { Variable } from "../../../core/variables.ts";
import { formatNumber } from "../../format.ts";
import type { CityPageProps, CityRecord } from "./city-props.ts";
import { type Scale, type Scales, scalesOf } from "../../units.ts";
import { type ZoneTime, zoneTime } from "../../zone-time.ts";
import { Icon } from "../../parts/icons.tsx";
import { Empty } from "../../parts/notes.tsx";
import { ResultLine } from "../../parts/result.tsx";

const RANGE = { width: 110, height: 10 };

/** The last days of the city's own calendar. */
export function CityDays({ days, units, now }: CityPageProps): JSX.Element {
  if (days === null)
    return <Empty what="No days yet." why="They come with the first run of daily_summary." />;
  const { rows } = days;
  if (rows.length === 0) {
    return <Empty what="No day of this city." why="The newest run of daily_summary found no report of it." />;
  }
  const { temperature, humidity, wind_speed: wind, rainfall: rain } = scalesOf(units);
  const low = Math.min(...rows.map(({ min }) => min ?? Infinity));
  const high = Math.max(...rows.map(({ max }) => max ?? -Infinity));
  const x = (value: number) =>
    Math.round((4 + ((value - low) / Math.max(1, high - low)) * (RANGE.width - 8)) * 10) / 10;
  return (
    <>
      <div class="scroll" tabindex="0" role="region" aria-labelledby="h-days">
        <table class="num">
          <thead>
            <tr>
              <th scope="col">Day</th>
              <Head name="Low" scale={temperature} />
              <th scope="col" class="wide">
                <span class="vh">Range</span>
              </th>
              <Head name="High" scale={temperature} />
              <Head name="Mean" scale={temperature} />
              <Head name="Hum" scale={humidity} wide />
              <Head name="Wind max" scale={wind} wide />
              <Head name="Rain" scale={rain} />
              <th scope="col" title="Share of the day's hours with a report">
                Cover
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map((day) => (
              <tr>
                <th scope="row">
                  <time datetime={formatTimestamp(day.date).slice(0, 10)} safe>
                    {zoneTime(null).day(day.date)}
                  </time>
                </th>
                <Cell scale={temperature} value={day.min} />
                <td class="wide">
                  {day.min === null || day.max === null ? (
                    ""
                  ) : (
                    <svg
                      class="range"
                      viewBox={`0 0 ${RANGE.width} ${RANGE.height}`}
                      width={RANGE.width}
                      height={RANGE.height}
                      aria-hidden="true"
                    >
                      <path class="track" d={`M4 5H${RANGE.width - 4}`} />
                      <path class="bar" d={`M${x(day.min)} 5H${x(day.max)}`} />
                      {day.mean === null ? "" : <circle cx={x(day.mean)} cy="5" r="3" />}
                    </svg>
                  )}
                </td>
                <Cell scale={temperature} value={day.max} />
                <Cell scale={temperature} value={day.mean} />
                <Cell scale={humidity} value={day.humidity} wide />
                <Cell scale={wind} value={day.windMax} wide />
                <Cell scale={rain} value={day.rain} />
                <td>
                  <span safe>{formatNumber(day.coverage === null ? null : day.coverage * 100, 0)}</span>
                  <span class="u">%</span>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <ResultLine info={days.info} now={now} />
    </>
  );
}

/** What is usual in the city over everything stored. */
export function CityStatisticsPart({ statistics, units, now }: CityPageProps): JSX.Element {
  if (statistics === null) {
    return <Empty what="No statistics yet." why="They come with the first run of city_statistics." />;
  }
  const { row } = statistics;
  if (row === null) {
    return <Empty what="No statistics of this city." why="The newest run found no report of it." />;
  }
  const { temperature, humidity, pressure, wind_speed: wind, rainfall: rain } = scalesOf(units);
  const facts: [string, string, string][] = [
    ["Lowest", temperature.text(row.min), temperature.unit],
    ["5 %", temperature.text(row.p05), temperature.unit],
    ["Median", temperature.text(row.median), temperature.unit],
    ["Mean", temperature.text(row.mean), temperature.unit],
    ["95 %", temperature.text(row.p95), temperature.unit],
    ["Highest", temperature.text(row.max), temperature.unit],
    ["σ", formatNumber(temperature.difference(row.deviation), 1), temperature.unit],
    ["Humidity", humidity.text(row.humidity), humidity.unit],
    ["Pressure", pressure.text(row.pressure), pressure.unit],
    ["Wind", wind.text(row.wind), wind.unit],
    ["Rain in all", rain.text(row.rain), rain.unit],
    ["Mostly", row.weather ?? "–", ""],
    ["n", formatNumber(row.n, 0), ""],
    ["Coverage", formatNumber(row.coverage === null ? null : row.coverage * 100, 0), "%"],
  ];
  return (
    <>
      <dl class="mini tiles">
        {facts.map(([name, value, unit]) => (
          <div>
            <dt safe>{name}</dt>
            <dd class={value === "–" ? "missing" : undefined}>
              <span safe>{value}</span>
              <span class="u" safe>
                {unit}
              </span>
            </dd>
          </div>
        ))}
      </dl>
      <ResultLine info={statistics.info} now={now} />
    </>
  );
}

/** The extremes of everything stored. */
export function CityRecords({ records, units, place, now }: CityPageProps): JSX.Element {
  if (records === null)
    return <Empty what="No records yet." why="They come with the first run of records." />;
  if (records.rows.length === 0) {
    return <Empty what="No record of this city." why="The newest run found no report of it." />;
  }
  const time = zoneTime(units.time === "city" ? place.zone : null);
  return (
    <>
      <div class="scroll" tabindex="0" role="region" aria-labelledby="h-records">
        <table class="num">
          <thead>
            <tr>
              <th scope="col">Record</th>
              <th scope="col">Value</th>
              <th scope="col">First reached</th>
              <th scope="col" class="wide">
                n
              </th>
            </tr>
          </thead>
          <tbody>
            {records.rows.map((record) => (
              <Record record={record} scales={scalesOf(units)} time={time} />
            ))}
          </tbody>
        </table>
      </div>
      <ResultLine info={records.info} now={now} />
    </>
  );
}

const RECORDS: Record<string, { name: string; variable: Variable }> = {
  temperature_max: { name: "Warmest", variable: "temperature" },
  temperature_min: { name: "Coldest", variable: "temperature" },
  humidity_max: { name: "Most humid", variable: "humidity" },
  humidity_min: { name: "Least humid", variable: "humidity" },
  pressure_max: { name: "Highest pressure", variable: "pressure" },
  pressure_min: { name: "Lowest pressure", variable: "pressure" },
  wind_speed_max: { name: "Strongest wind", variable: "wind_speed" },
  wind_gust_max: { name: "Strongest gust", variable: "wind_gust" },
  rainfall_1h_max: { name: "Most rain in an hour", variable: "rainfall" },
};

function Record({
  record,
  scales,
  time,
}: {
  record: CityRecord;
  scales: Scales;
  time: ZoneTime;
}): JSX.Element {
  const known = RECORDS[record.record];
  const scale = known === undefined ? null : scales[known.variable];
  return (
    <tr>
      <th scope="row" safe>
        {known?.name ?? record.record.replaceAll("_", " ")}
      </th>
      <td>
        {record.isSuspect ? (
          <span class="st st-stale" title="suspect, as records often are">
            <Icon name="suspect" />
            <span class="vh">suspect</span>
          </span>
        ) : (
          ""
        )}{" "}
        <span safe>{scale === null ? formatNumber(record.value, 1) : scale.text(record.value)}</span>
        <span class="u" safe>
          {scale?.unit ?? ""}
        </span>
      </td>
      <td class="u">
        <time datetime={formatTimestamp(record.time)} safe>
          {`${time.short(record.time)} ${time.name(record.time)}`}
        </time>
      </td>
      <td class="wide" safe>
        {formatNumber(record.n, 0)}
      </td>
    </tr>
  );
}

function Head({ name, scale, wide }: { name: string; scale: Scale; wide?: boolean }): JSX.Element {
  return (
    <th scope="col" class={wide === true ? "wide" : undefined}>
      <span safe>{name}</span>
      <span class="u" safe>
        {scale.unit}
      </span>
    </th>
  );
}

function Cell({ value, scale, wide }: { value: number | null; scale: Scale; wide?: boolean }): JSX.Element {
  const classes = [wide === true ? "wide" : "", value === null ? "missing" : ""].join(" ").trim();
  return (
    <td class={classes === "" ? undefined : classes} safe>
      {scale.text(value)}
    </td>
  );
}
