/** The part of the events that a client of the hub wants. */
export interface LiveFilter {
  /** Equal for equal filters: their clients share the encoded events. */
  readonly key: string;
  /** The part of an event's data that passes the filter; null if nothing does. */
  narrow(name: string, data: object): object | null;
}

interface OfCity {
  city: string;
}

/**
 * The filter of `/live`, by event type, and by city for events about cities. A `snapshot` always passes, because it also
 * reports that events were skipped.
 *
 * @param wanted.cities names of the cities as in observations; null for all
 * @param wanted.types null for all
 * @returns null if everything is wanted
 */
export function liveFilter(wanted: {
  cities: readonly string[] | null;
  types: readonly string[] | null;
}): LiveFilter | null {
  const { types } = wanted;
  const cities = wanted.cities === null ? null : new Set(wanted.cities);
  if (cities === null && types === null) return null;
  const own = (list: unknown, cityOf: (one: never) => string) =>
    (list as never[]).filter((one) => cities?.has(cityOf(one)) !== false);
  return {
    key: JSON.stringify([wanted.cities?.toSorted(), types?.toSorted()]),
    narrow(name, data) {
      if (name !== "snapshot" && types?.includes(name) === false) return null;
      if (cities === null) return data;
      if (name === "snapshot") {
        const { current } = data as { current?: unknown };
        return {
          ...data,
          current: own(current, ({ observation }: { observation: OfCity }) => observation.city),
        };
      }
      if (name !== "observations" && name !== "judgements") return data;
      const found = own((data as Record<string, unknown>)[name], (one: OfCity) => one.city);
      return found.length === 0 ? null : { ...data, [name]: found };
    },
  };
}
