import { attribute } from "../attribute.ts";
import { formatCondition, formatCount } from "../format.ts";
import { MEASURES } from "../measures.ts";
import type { CityNow } from "../props.ts";
import type { Scales } from "../units.ts";
import { AgeOf } from "./card.tsx";
import { measureClass, Value } from "./measure.tsx";

/**
 * The cities beyond the cards, a row each.
 *
 * @param props.more how many cities are not shown at all
 */
export function CitiesTable({
  cities,
  more,
  asOf,
  scales,
}: {
  cities: CityNow[];
  more: number;
  asOf: number;
  scales: Scales;
}): JSX.Element {
  return (
    <section aria-labelledby="h-more">
      <div class="bar">
        <h2 id="h-more">More cities</h2>
        <a class="more" href="/api/v1/current">
          JSON
        </a>
      </div>
      <div class="scroll" tabindex="0" role="region" aria-labelledby="h-more">
        <table class="num">
          <thead>
            <tr>
              <th scope="col">City</th>
              {MEASURES.map(({ label, field }) => (
                <th scope="col" class={field === "temperature" ? undefined : "wide"}>
                  {label}
                </th>
              ))}
              <th scope="col" class="left wide">
                Condition
              </th>
              <th scope="col">Age</th>
            </tr>
          </thead>
          <tbody>
            {cities.map((now) => (
              <tr class={now.stale ? "is-stale" : undefined} data-city={attribute(now.city)}>
                <th scope="row">
                  <a href={`/cities/${encodeURIComponent(now.slug)}`} safe>
                    {now.city}
                  </a>
                </th>
                {MEASURES.map((style) => (
                  <td
                    class={measureClass(
                      now.observation?.[style.field],
                      style.field === "temperature" ? "" : "wide",
                    )}
                    data-field={style.field}
                  >
                    <Value style={style} observation={now.observation} scales={scales} />
                  </td>
                ))}
                <td
                  class={measureClass(now.observation?.weather_description, "left wide")}
                  data-field="condition"
                  safe
                >
                  {formatCondition(now.observation?.weather_description ?? null)}
                </td>
                <td>
                  <AgeOf now={now} asOf={asOf} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {more > 0 ? (
        <p class="note">
          <span>
            <span safe>{formatCount(more, "more city is", "more cities are")}</span> in{" "}
            <a href="/api/v1/current">the API</a>.
          </span>
        </p>
      ) : (
        ""
      )}
    </section>
  );
}
