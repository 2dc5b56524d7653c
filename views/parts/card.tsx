import { parseTimestamp } from "../../core/time.ts";
import { CONTRACT_VARIABLES } from "../../core/variables.ts";
import { attribute } from "../attribute.ts";
import { formatCondition } from "../format.ts";
import type { CityNow } from "../city-facts.ts";
import { Age, BEFORE_THE_END } from "./age.tsx";
import { Star } from "./favourite.tsx";
import { Icon } from "./icons.tsx";
import { measureClass, MeasuredValue } from "./measure.tsx";
import { Slot } from "./notes.tsx";
import { valueLabel } from "../shown-variables.ts";
import type { Scales } from "../units.ts";

const DETAILS = CONTRACT_VARIABLES.filter((name) => name !== "temperature");

/** Name of the slot that holds the course of the nth card. */
export function courseSlot(index: number): string {
  return `course-${index}`;
}

/**
 * The newest observation of a city.
 *
 * @param props.index its place among the cards
 * @param props.course trend and sparkline as HTML, or null when they come later
 * @param props.asOf the page's clock, ms
 */
export function Card({
  now,
  index,
  course,
  asOf,
  scales,
  isFavourite,
}: {
  now: CityNow;
  index: number;
  course: JSX.Element | null;
  asOf: number;
  scales: Scales;
  isFavourite: boolean;
}): JSX.Element {
  const { city, slug, observation } = now;
  return (
    <li class={now.stale ? "card is-stale" : "card"} data-city={attribute(city)}>
      <article aria-labelledby={`city-${index}`}>
        <header>
          <h3 id={`city-${index}`} title={attribute(city)}>
            <a href={`/cities/${encodeURIComponent(slug)}`} safe>
              {city}
            </a>
          </h3>
          <Star city={city} slug={slug} isFavourite={isFavourite} />
          <AgeOf now={now} asOf={asOf} />
        </header>
        <div class="lead">
          <p class={measureClass(observation?.temperature, "temp")} data-field="temperature">
            <MeasuredValue variable="temperature" observation={observation} scales={scales} />
          </p>
          <Slot id={courseSlot(index)} content={course}>
            {""}
          </Slot>
        </div>
        <p class={measureClass(observation?.weather_description, "cond")} data-field="condition" safe>
          {formatCondition(observation?.weather_description ?? null)}
        </p>
        <dl class="mini">
          {DETAILS.map((variable) => (
            <div>
              <dt safe>{valueLabel(variable)}</dt>
              <dd class={measureClass(observation?.[variable])} data-field={variable}>
                <MeasuredValue variable={variable} observation={observation} scales={scales} />
              </dd>
            </div>
          ))}
        </dl>
      </article>
    </li>
  );
}

/**
 * The age of a city's newest value, with a clock and the word where it is stale. Before the first report the same
 * elements stand ready for it.
 */
export function AgeOf({ now, asOf }: { now: CityNow; asOf: number }): JSX.Element {
  return (
    <span class="age">
      <span class="stale-only">
        <Icon name="stale" /> stale{" "}
      </span>
      {now.observation === null ? (
        <>
          <span data-part="never">no report yet</span>
          <time data-age={now.recorded ? BEFORE_THE_END : ""} hidden></time>
        </>
      ) : (
        <Age time={parseTimestamp(now.observation.timestamp)} now={asOf} recorded={now.recorded} />
      )}
    </span>
  );
}
