import { addressName } from "../../../core/city-name.ts";
import { Anomalies } from "../../parts/anomalies.tsx";
import { CityHead } from "./city-head.tsx";
import { CityHistoryPart } from "./city-history.tsx";
import { CityQuality } from "./city-quality.tsx";
import { CityDays, CityRecords, CityStatisticsPart } from "./city-tables.tsx";
import { FavouritesForm } from "../../parts/favourite.tsx";
import { ForecastRibbon } from "../../parts/forecast-ribbon.tsx";
import { Formats } from "../../parts/formats.tsx";
import { Empty } from "../../parts/notes.tsx";
import { ResultLine } from "../../parts/result.tsx";
import { scalesOf } from "../../units.ts";
import { zoneTime } from "../../zone-time.ts";
import type { CityHistoryProps, CityPageProps } from "./city-props.ts";

/** The top of a city's page: what it is like now. */
export function CityTop(props: CityPageProps): JSX.Element {
  const { place } = props;
  return (
    <>
      <p class="crumb">
        <a href="/">All cities</a>
      </p>
      <FavouritesForm back={`/cities/${encodeURIComponent(place.slug)}`} />
      <iso-cities>
        <CityHead {...props} />
      </iso-cities>
    </>
  );
}

/** Below it: its past, what is usual, unusual and to come. */
export function CityRest(props: CityHistoryProps): JSX.Element {
  const { place, units, range } = props;
  const asked = addressName(place, props.others);
  const api = (job: string) => `/api/v1/${job}?city=${encodeURIComponent(asked)}`;
  return (
    <>
      <CityHistoryPart {...props} />
      <section aria-labelledby="h-forecast">
        <div class="bar">
          <h2 id="h-forecast">
            Next 48 hours{" "}
            <span class="count" safe>
              {scalesOf(units).temperature.unit}
            </span>
          </h2>
          <Formats path={api("results/forecast")} of="the forecast" />
        </div>
        <ForecastPart {...props} />
      </section>
      <div class="split even">
        <div>
          <section aria-labelledby="h-days">
            <div class="bar">
              <h2 id="h-days">
                By day <span class="count">days of the city's calendar</span>
              </h2>
              <Formats path={api("results/daily_summary")} of="the days" />
            </div>
            <CityDays {...props} />
          </section>
          <section aria-labelledby="h-quality">
            <div class="bar">
              <h2 id="h-quality" data-zoomed="quality-of">
                Quality{" "}
                <span class="count" safe>
                  {props.window.zoomed
                    ? "reports of the time shown above"
                    : `reports of the last ${range.label}`}
                </span>
              </h2>
              <Formats path={api("observations")} of="the observations with their flags" />
            </div>
            <div data-zoomed="quality">
              <CityQuality {...props} />
            </div>
          </section>
        </div>
        <div>
          <section aria-labelledby="h-anomalies">
            <div class="bar">
              <h2 id="h-anomalies">Newest anomalies</h2>
              <p class="more">
                <a href={`/anomalies?city=${encodeURIComponent(asked)}`}>All of them</a>
              </p>
            </div>
            <Anomalies {...props.anomalies} units={units} />
          </section>
          <section aria-labelledby="h-statistics">
            <div class="bar">
              <h2 id="h-statistics">
                Statistics <span class="count">over everything stored</span>
              </h2>
              <Formats path={api("statistics")} of="the statistics" />
            </div>
            <CityStatisticsPart {...props} />
          </section>
          <section aria-labelledby="h-records">
            <div class="bar">
              <h2 id="h-records">Records</h2>
              <Formats path={api("results/records")} of="the records" />
            </div>
            <CityRecords {...props} />
          </section>
        </div>
      </div>
    </>
  );
}

function ForecastPart({ forecast, forecastNeeds, units, place, now }: CityPageProps): JSX.Element {
  if (forecast === null) {
    return <Empty what="No forecast yet." why={forecastNeeds} />;
  }
  if (!forecast.ok) {
    return <Empty what="No forecast of this city yet." why={forecast.waits?.why ?? ""} />;
  }
  const { temperature } = scalesOf(units);
  const time = zoneTime(units.time === "city" ? place.zone : null);
  return (
    <>
      <ForecastRibbon
        forecast={forecast}
        scale={temperature}
        time={time}
        step={3}
        label={`Temperature of ${place.name} over the next 48 hours, ${temperature.unit}`}
      />
      <p class="u from" safe>
        {`Every third hour, ${time.name(forecast.issued)}; below each half the width of its 90 % interval.`}
      </p>
      <ResultLine info={forecast.info} now={now} />
    </>
  );
}
