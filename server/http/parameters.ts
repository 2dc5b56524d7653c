import type { Place } from "../../core/city.ts";
import { normalName } from "../../core/city-name.ts";
import { plainText } from "../../core/slug.ts";
import { RequestError } from "../../core/errors.ts";
import { describe } from "../../core/observation.ts";
import { parseTimestamp } from "../../core/time.ts";

/** Times outside these years are slips of the pen, not questions. */
const EARLIEST = Date.UTC(1900, 0, 1);
const LATEST = Date.UTC(2100, 0, 1);

/**
 * The query parameters of one request. Unknown and repeated ones are refused when it is made, so that a misspelt filter
 * is never answered with unfiltered data; each method refuses a wrong value by the parameter's name.
 */
export class Parameters {
  readonly #values = new Map<string, string>();

  /**
   * @param known names the route understands
   * @throws RequestError `unknown_parameter`, `bad_parameter`
   */
  constructor(request: Request, known: readonly string[]) {
    const start = request.url.indexOf("?");
    if (start === -1) return;
    const text = request.url.slice(start).replace(/#.*$/s, "");
    for (const [name, value] of new URLSearchParams(text)) {
      if (!known.includes(name)) {
        throw new RequestError("unknown_parameter", `The parameter ${describe(name)} is not known here`, {
          hint: known.length === 0 ? "This route takes no parameters." : `Known: ${known.join(", ")}.`,
        });
      }
      if (this.#values.has(name)) {
        throw new RequestError("bad_parameter", `The parameter ${name} is given twice, wanted it once`);
      }
      this.#values.set(name, value);
    }
  }

  /** A parameter as it came, or null. */
  text(name: string): string | null {
    return this.#values.get(name) ?? null;
  }

  /**
   * A point in time: ISO 8601 with a zone, or seconds since 1970. A `+` that arrived as a space is taken for what it was.
   *
   * @returns ms since the epoch, or null when it is not given
   */
  time(name: string): number | null {
    const text = this.text(name);
    if (text === null) return null;
    const ms = /^-?\d{1,12}$/.test(text)
      ? Number(text) * 1000
      : parseTimestamp(text.replace(/ (\d{2}:?\d{2})$/, "+$1"));
    if (!(ms >= EARLIEST && ms <= LATEST)) {
      throw badParameter(
        name,
        text,
        "ISO 8601 with a zone such as 2026-01-31T06:00:00Z, or seconds since 1970, from 1900 to 2100",
      );
    }
    return ms;
  }

  /** A whole number from `min` to `max`; `fallback` when it is not given. */
  integer(name: string, { min, max, fallback }: { min: number; max: number; fallback: number }): number {
    const text = this.text(name);
    if (text === null) return fallback;
    const value = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
    if (!(value >= min && value <= max)) {
      throw badParameter(name, text, `a whole number from ${min} to ${max}`);
    }
    return value;
  }

  /**
   * A city as {@link findCity} finds it.
   *
   * @returns null when it is not given
   * @throws RequestError `not_found` when there is none of that name
   */
  city(name: string, cities: readonly Place[]): Place | null {
    const text = this.text(name);
    if (text === null) return null;
    return findCity(cities, text) ?? noCity(name, text);
  }
}

/**
 * A city by its name, its slug, or its name in another case, in this order: an exact name wins over a slug. Last comes a slug
 * without its checksum, such as `zurich`, where only one city can be meant: older versions gave such slugs.
 */
export function findCity(cities: readonly Place[], text: string): Place | undefined {
  const name = normalName(text);
  const lower = name.toLowerCase();
  return (
    cities.find((one) => one.name === text) ??
    cities.find((one) => one.name === name) ??
    cities.find(({ slug }) => slug === text) ??
    cities.find((one) => one.name.toLowerCase() === lower) ??
    onlyCityOf(cities, text)
  );
}

/** The city whose name is written so in ASCII; undefined where there is none or more than one. */
function onlyCityOf(cities: readonly Place[], plain: string): Place | undefined {
  const found = cities.filter(({ name, slug }) => {
    if (!slug.startsWith(`${plain}--`)) return false;
    const { text, isWhole } = plainText(name);
    return isWhole && text === plain;
  });
  return found.length === 1 ? found[0] : undefined;
}

/** Refuses a parameter that names no city. @throws RequestError `not_found` */
export function noCity(name: string, text: string): never {
  throw new RequestError(
    "not_found",
    `The parameter ${name} is ${describe(text)}, wanted the name or slug of a city`,
    { hint: "/api/v1/cities lists them." },
  );
}

/** A parameter whose value is wrong. */
export function badParameter(name: string, value: unknown, wanted: string): RequestError {
  return new RequestError("bad_parameter", `The parameter ${name} is ${describe(value)}, wanted ${wanted}`);
}
