import { attribute } from "../../attribute.ts";
import { formatNumber } from "../../format.ts";
import { ForecastRibbon } from "../../parts/forecast-ribbon.tsx";
import { ForecastVerificationPart } from "./forecast-verification.tsx";
import { type ForecastVerification } from "../../../core/forecast-verification.ts";
import { Formats } from "../../parts/formats.tsx";
import { Empty } from "../../parts/notes.tsx";
import { Plot } from "../../parts/plot.tsx";
import { ResultLine } from "../../parts/result.tsx";
import type { CityForecast } from "../../city-facts.ts";
import type { ResultOrigin } from "../../../core/analytic-job.ts";
import { type Scale, scalesOf, type Units } from "../../units.ts";
import { zoneTime } from "../../zone-time.ts";

/** What the page of forecasts shows. */
export interface ForecastPageProps {
  /** The real time, ms. */
  now: number;
  units: Units;
  /** Null before the job's first run. */
  info: ResultOrigin | null;
  /** Cities in order; those without a forecast have null. */
  cities: { name: string; slug: string; zone: string | null; forecast: CityForecast | null }[];
  /** What the first forecast of all waits for and when it comes, and what any of them needs. */
  wait: string;
  needs: string;
  /** How many cities have no room here. */
  more: number;
  /** How the forecasts of before did: see {@link ForecastVerificationPart}. */
  verification: ForecastVerification | null | "failed";
}

/** The next 48 hours of each city, with how sure that is. */
export function ForecastPage({
  now,
  units,
  info,
  cities,
  wait,
  needs,
  more,
  verification,
}: ForecastPageProps): JSX.Element {
  const { temperature } = scalesOf(units);
  const withForecast = cities.filter(({ forecast }) => forecast?.ok === true);
  return (
    <>
      <div class="headline">
        <h1 safe>{answerOf(cities, temperature)}</h1>
        <p class="asof">Temperature over 48 hours; nine of ten values should fall inside the interval.</p>
      </div>
      <section aria-labelledby="h-forecasts">
        <div class="bar">
          <h2 id="h-forecasts">
            Next 48 hours{" "}
            <span class="count" safe>
              {temperature.unit}
            </span>
          </h2>
          <Formats path="/api/v1/results/forecast" of="the forecasts" />
        </div>
        {info === null ? (
          <Empty
            what="No forecast yet."
            why={`The first run of the job forecast says what there is. ${needs}`}
          />
        ) : withForecast.length === 0 ? (
          <Empty what="No forecast yet." why={wait} />
        ) : (
          <>
            <ol class="forecasts">
              {cities.map((city) => (
                <Row city={city} scale={temperature} units={units} needs={needs} />
              ))}
            </ol>
            {more > 0 ? (
              <p class="u from" safe>
                {`${formatNumber(more, 0)} more cities are in JSON, CSV and Arrow.`}
              </p>
            ) : (
              ""
            )}
            <ResultLine info={info} now={now} />
          </>
        )}
      </section>
      <ForecastVerificationPart verification={verification} scale={temperature} />
    </>
  );
}

/** The warmest and the coldest that is expected. */
function answerOf(cities: ForecastPageProps["cities"], scale: Scale): string {
  const points = cities.flatMap(({ name, forecast }) =>
    (forecast?.ok === true ? forecast.points : []).flatMap(({ value }) =>
      value === null ? [] : [{ name, value }],
    ),
  );
  const [first] = points;
  if (first === undefined) return "No forecast yet";
  const warm = points.reduce((a, b) => (b.value > a.value ? b : a), first);
  const cold = points.reduce((a, b) => (b.value < a.value ? b : a), first);
  const words = ({ name, value }: { name: string; value: number }) =>
    `${formatNumber(scale.of(value), 0)}° in ${name}`;
  return `From ${words(cold)} to ${words(warm)}`;
}

function Row({
  city,
  scale,
  units,
  needs,
}: {
  city: ForecastPageProps["cities"][number];
  scale: Scale;
  units: Units;
  needs: string;
}): JSX.Element {
  const { name, slug, zone, forecast } = city;
  const time = zoneTime(units.time === "city" ? zone : null);
  const since: string =
    forecast === null ? "" : `from ${time.short(forecast.issued)} ${time.name(forecast.issued)}`;
  return (
    <li>
      <h3>
        <a href={`/cities/${encodeURIComponent(slug)}`} safe>
          {name}
        </a>{" "}
        <span class="u" safe>
          {since}
        </span>
      </h3>
      {forecast?.ok !== true ? (
        <Empty what="None." why={forecast?.waits?.why ?? `The newest result has none. ${needs}`} />
      ) : (
        <>
          <Course forecast={forecast} scale={scale} name={name} />
          <ForecastRibbon
            forecast={forecast}
            scale={scale}
            time={time}
            step={6}
            label={`Temperature of ${name} over the next 48 hours, ${scale.unit}`}
          />
        </>
      )}
    </li>
  );
}

function Course({
  forecast,
  scale,
  name,
}: {
  forecast: CityForecast;
  scale: Scale;
  name: string;
}): JSX.Element {
  const { points, issued } = forecast;
  const to = points.at(-1)?.time ?? issued + 1;
  return (
    <Plot
      label={attribute(`Forecast of ${name} with its 90 percent interval`)}
      from={issued}
      to={to}
      height={96}
      least={scale.difference(8) ?? 8}
      bands={[
        {
          points: points.map((one) => ({ x: one.time, low: scale.of(one.lower), high: scale.of(one.upper) })),
          look: "interval",
        },
      ]}
      lines={[
        { points: points.map((one) => ({ x: one.time, y: scale.of(one.value) })), look: "s1 forecast" },
      ]}
      ticks={[]}
    />
  );
}
