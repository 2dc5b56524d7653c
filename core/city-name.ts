/** Characters that are not seen and mean nothing in a name: zero width, soft hyphen, marks of the writing direction. */
const UNSEEN = /[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g;

/**
 * The form in which a name is kept: Unicode NFC, without unseen characters, each run of blanks one space, none at the ends.
 * Case is kept. What is no name becomes "": blanks alone, or text with a control character.
 */
export function normalName(name: string): string {
  if (/[\u0000-\u001f\u007f]/.test(name)) return "";
  return name.replace(UNSEEN, "").normalize("NFC").replace(/\s+/g, " ").trim();
}

/**
 * The configured city's name where a name differs from it in case only, else the name, in its normal form. It depends on the
 * configuration and not on what has been reported, so that a record sent again gets the same name. What is no name stays.
 */
export function knownName(name: string, cities: readonly { name: string }[]): string {
  const normal = normalName(name);
  if (normal === "") return name; // it is refused as it came
  if (cities.some((city) => city.name === normal)) return normal;
  const lower = normal.toLowerCase();
  return cities.find((city) => city.name.toLowerCase() === lower)?.name ?? normal;
}

/**
 * How an address names a city: by its slug, or by its name where another city is called as its slug is, because an exact name
 * comes first in a request.
 *
 * @param cities all that there are
 */
export function addressName(
  place: { name: string; slug: string },
  cities: readonly { name: string }[],
): string {
  return cities.some(({ name }) => name === place.slug) ? place.name : place.slug;
}
