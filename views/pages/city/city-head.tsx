import { addressName } from "../../../core/city-name.ts";
import { parseTimestamp } from "../../../core/time.ts";
import { attribute } from "../../attribute.ts";
import { formatCondition, formatNumber } from "../../format.ts";
import { shownVariables, valueLabel } from "../../shown-variables.ts";
import type { CityPageProps } from "./city-props.ts";
import { scalesOf } from "../../units.ts";
import { zoneTime } from "../../zone-time.ts";
import { AgeOf } from "../../parts/card.tsx";
import { Star } from "../../parts/favourite.tsx";
import { FlagMark } from "../../parts/flag.tsx";
import { measureClass, MeasuredValue } from "../../parts/measure.tsx";

/** The newest of a city, kept new by the same island as the cards. */
export function CityHead(props: CityPageProps): JSX.Element {
  const { place, current, units, asOf } = props;
  const { observation } = current;
  const local = zoneTime(place.zone);
  return (
    <div class={current.stale ? "cityhead is-stale" : "cityhead"} data-city={attribute(place.name)}>
      <div>
        <h1>
          <span safe>{place.name}</span>{" "}
          <Star city={place.name} slug={place.slug} isFavourite={props.isFavourite} />
        </h1>
        <p class="u" safe>
          {[
            ...coordinates(place),
            ...(place.zone === null ? [] : [`${local.short(asOf)} ${local.name(asOf)}`]),
          ].join(" · ")}
        </p>
      </div>
      <p class={measureClass(observation?.temperature, "temp xl")} data-field="temperature">
        <MeasuredValue variable="temperature" observation={observation} scales={scalesOf(units)} />
      </p>
      <CityDetails {...props} />
      {observation === null ? (
        ""
      ) : (
        <p class="vh" safe>
          {`Newest report at ${zoneTime(null).short(parseTimestamp(observation.timestamp))} UTC`}
        </p>
      )}
    </div>
  );
}

/** What else is known of the newest report, how it feels and what is usual. */
function CityDetails(props: CityPageProps): JSX.Element {
  const { place, others, current, units, feels, usual, flag, asOf } = props;
  const { observation } = current;
  const scales = scalesOf(units);
  const shown = zoneTime(units.time === "city" ? place.zone : null);
  const newest = observation === null ? null : parseTimestamp(observation.timestamp);
  const details = shownVariables([observation]).filter((name) => name !== "temperature");
  return (
    <dl class="mini">
      <div>
        <dt>Condition</dt>
        <dd class={measureClass(observation?.weather_description)} data-field="condition" safe>
          {formatCondition(observation?.weather_description ?? null)}
        </dd>
      </div>
      <div>
        <dt>Feels like</dt>
        <dd class={measureClass(feels?.value)}>
          <span safe>{scales.temperature.text(feels?.value)}</span>
          <span class="u" safe>
            {feels === null || feels.time === newest
              ? scales.temperature.unit
              : `${scales.temperature.unit} at ${shown.clock(feels.time)}`}
          </span>
        </dd>
      </div>
      <div>
        <dt>Expected</dt>
        <dd class={measureClass(usual?.expected)}>
          <span safe>{scales.temperature.text(usual?.expected)}</span>
          <span class="u" safe>
            {usual === null || usual.lower === null || usual.upper === null
              ? scales.temperature.unit
              : `± ${formatNumber(scales.temperature.difference((usual.upper - usual.lower) / 2), 1)}`}
          </span>
        </dd>
      </div>
      {details.map((variable) => (
        <div>
          <dt safe>{valueLabel(variable)}</dt>
          <dd class={measureClass(observation?.[variable])} data-field={variable}>
            <MeasuredValue variable={variable} observation={observation} scales={scales} />
          </dd>
        </div>
      ))}
      <div>
        <dt>Observed</dt>
        <dd>
          <AgeOf now={current} asOf={asOf} />{" "}
          {observation === null || flag === null ? "" : <FlagMark flag={flag} />}{" "}
          <a href={`/why?city=${encodeURIComponent(addressName(place, others))}`}>Why?</a>
        </dd>
      </div>
    </dl>
  );
}

function coordinates({ latitude, longitude }: CityPageProps["place"]): string[] {
  if (latitude === null || longitude === null) return [];
  const north = `${formatNumber(Math.abs(latitude), 2)}° ${latitude < 0 ? "S" : "N"}`;
  return [`${north}, ${formatNumber(Math.abs(longitude), 2)}° ${longitude < 0 ? "W" : "E"}`];
}
