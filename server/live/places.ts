import { slugOf } from "../../core/slug.ts";
import type { City, Place } from "../../core/city.ts";
import type { CurrentState } from "./current.ts";
import type { About } from "../../core/about.ts";

/**
 * The places shown: the configured cities in their order, then the other cities that have reported, by name. In a replayed
 * data set only the cities that have reported, because a recording has its own cities.
 */
export class Places {
  readonly #configured: readonly City[];
  readonly #current: CurrentState;
  readonly #kind: About["kind"];
  #places: readonly Place[] = [];
  /** Number of cities that had reported when the list was made. It never decreases, so it tells whether the list is current. */
  #reported = -1;

  constructor(configured: readonly City[], current: CurrentState, kind: About["kind"]) {
    this.#configured = configured;
    this.#current = current;
    this.#kind = kind;
  }

  /** The same array until another city reports. */
  list(): readonly Place[] {
    const current = this.#current.list();
    if (current.length === this.#reported) return this.#places;
    this.#reported = current.length;
    const reported = new Set(current.map(({ observation }) => observation.city));
    const places: Place[] = this.#configured.filter(
      ({ name }) => this.#kind !== "replayed" || reported.has(name),
    );
    for (const { name } of this.#configured) reported.delete(name);
    for (const name of reported) {
      places.push({ name, slug: slugOf(name), latitude: null, longitude: null, zone: null });
    }
    return (this.#places = places);
  }
}
