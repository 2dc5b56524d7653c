import { attribute } from "../../attribute.ts";
import { CHOICES, type Units } from "../../units.ts";

const TITLES: Record<keyof Units, string> = {
  temperature: "Temperature",
  wind: "Wind",
  pressure: "Pressure",
  rain: "Rain",
  time: "Times of a city",
  refresh: "Without a script, pages",
};

/** Where a reader chooses units and clock: a plain form, remembered in a cookie. `back` is the page to return to. */
export function UnitsPage({ units, back }: { units: Units; back: string }): JSX.Element {
  return (
    <>
      <div class="headline">
        <h1>Units and time</h1>
        <p class="asof">Kept in a cookie of this browser; the API keeps the units of the record.</p>
      </div>
      <section aria-label="Choices">
        <form method="post" action="/units" class="choices">
          <input type="hidden" name="back" value={attribute(back)} />
          {(Object.keys(CHOICES) as (keyof Units)[]).map((name) => (
            <fieldset>
              <legend safe>{TITLES[name]}</legend>
              {Object.entries(CHOICES[name]).map(([value, label]) => (
                <label>
                  <input type="radio" name={name} value={value} checked={units[name] === value} />
                  <span>{label}</span>
                </label>
              ))}
            </fieldset>
          ))}
          <p>
            <button type="submit">Keep</button> <a href={attribute(back)}>Back without a change</a>
          </p>
        </form>
      </section>
    </>
  );
}
