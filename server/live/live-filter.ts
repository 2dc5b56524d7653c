/** What of the events a client of the hub wants. */
export interface LiveFilter {
  /** Equal for clients that want the same: what they get is encoded once. */
  readonly key: string;
  /** What of an event's data it gets; null for nothing. */
  narrow(name: string, data: object): object | null;
}

interface OfCity {
  city: string;
}

/**
 * The filter of `/live`: events of some types, and of some cities where they are about cities. A `snapshot` is never left
 * out, because it also tells that events were.
 *
 * @param wanted.cities names of the cities as they stand in observations; null for all
 * @param wanted.types null for all
 * @returns null where everything is wanted
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
