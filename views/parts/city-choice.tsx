import { attribute } from "../attribute.ts";

/** More cities than this are not listed: their name is typed. */
const LISTED = 200;

/** A field of a form that names a city by its slug, or by what was typed where there are too many to list. */
export function CityChoice({
  name,
  none,
  cities,
  chosen,
}: {
  /** The field's name, and its id. */
  name: string;
  /** What stands for no choice; null where the list has none. */
  none: string | null;
  cities: readonly { name: string; slug: string }[];
  /** Slug of the city that is chosen. */
  chosen: string | null;
}): JSX.Element {
  if (cities.length > LISTED) {
    return (
      <input
        id={attribute(name)}
        name={attribute(name)}
        type="search"
        placeholder={attribute(none ?? "")}
        value={attribute(chosen ?? "")}
      />
    );
  }
  return (
    <select id={attribute(name)} name={attribute(name)}>
      {none === null ? (
        ""
      ) : (
        <option value="" safe>
          {none}
        </option>
      )}
      {cities.map((city) => (
        <option value={attribute(city.slug)} selected={city.slug === chosen} safe>
          {city.name}
        </option>
      ))}
    </select>
  );
}
