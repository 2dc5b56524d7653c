import { addressName } from "../../core/city-name.ts";
import { attribute } from "../attribute.ts";

/** More cities than this are not listed: their name is typed. */
const LISTED = 200;

/** A field of a form that names a city as an address does, or by what was typed where there are too many to list. */
export function CityChoice({
  name,
  none,
  cities,
  known = cities,
  chosen,
}: {
  /** The field's name, and its id. */
  name: string;
  /** What stands for no choice; null where the list has none. */
  none: string | null;
  cities: readonly { name: string; slug: string }[];
  /** All cities that there are, where the list has not all. */
  known?: readonly { name: string }[];
  /** Slug of the city that is chosen. */
  chosen: string | null;
}): JSX.Element {
  if (cities.length > LISTED) {
    const place = cities.find(({ slug }) => slug === chosen);
    return (
      <input
        id={attribute(name)}
        name={attribute(name)}
        type="search"
        placeholder={attribute(none ?? "")}
        value={attribute(place === undefined ? "" : addressName(place, known))}
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
        <option value={attribute(addressName(city, known))} selected={city.slug === chosen} safe>
          {city.name}
        </option>
      ))}
    </select>
  );
}
