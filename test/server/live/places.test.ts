import { expect, test } from "bun:test";
import { DEFAULT_CITIES } from "../../../core/city.ts";
import type { Row } from "../../../core/observation.ts";
import { CurrentState } from "../../../server/live/current.ts";
import { Places } from "../../../server/live/places.ts";
import { observation } from "../../support/fake-services.ts";

const row = (city: string): Row => ({
  ...observation({ city }),
  log_offset: 0,
  ingested_at: "2026-01-31T12:00:00Z",
});
const names = (places: Places) => places.list().map(({ name }) => name);

test("Places lists the configured cities, and those that report besides", () => {
  const current = new CurrentState();
  const places = new Places(DEFAULT_CITIES, current, "observed");
  expect(places.list()).toEqual([...DEFAULT_CITIES]);
  current.seed([row("Oslo"), row("London"), row("Bern")]);
  expect(names(places)).toEqual([...DEFAULT_CITIES.map(({ name }) => name), "Bern", "Oslo"]);
  expect(places.list().at(-1)).toEqual({
    name: "Oslo",
    slug: "oslo",
    latitude: null,
    longitude: null,
    zone: null,
  });
});

test("Places lists of a recording only what is in it, with what is known of a configured city", () => {
  const current = new CurrentState();
  const places = new Places(DEFAULT_CITIES, current, "replayed");
  expect(places.list()).toEqual([]);
  current.seed([row("Portland"), row("London")]);
  expect(names(places)).toEqual(["London", "Portland"]);
  expect(places.list()[0]).toEqual(DEFAULT_CITIES[1]!);
});

test("Places gives cities that look alike different slugs, none a configured city's", () => {
  const current = new CurrentState();
  const places = new Places(DEFAULT_CITIES, current, "observed");
  current.seed([row("London!"), row("São Paulo"), row("Sao Paulo")]);
  const slugs = places.list().map(({ slug }) => slug);
  expect(new Set(slugs).size).toBe(slugs.length);
  expect(slugs.filter((slug) => slug.startsWith("london--"))).toHaveLength(1);
});

test.each([
  ["東京", "北京"],
  ["Saint-Denis", "Saint Denis"],
  ["Sao Paulo", "São Paulo"],
  ["oslo", "OSLO"],
])("Places leaves %s its slug when %s reports too, before or after it", (name, other) => {
  const slugAfter = (...cities: string[]) => {
    const current = new CurrentState();
    const places = new Places(DEFAULT_CITIES, current, "observed");
    for (const city of cities) {
      current.seed([row(city)]);
      places.list();
    }
    return places.list().find((place) => place.name === name)?.slug;
  };
  const alone = slugAfter(name);
  expect(alone).toBeString();
  expect(slugAfter(name, other)).toBe(alone);
  expect(slugAfter(other, name)).toBe(alone);
});

test("Places makes its list anew only when another city reports", () => {
  const current = new CurrentState();
  const places = new Places(DEFAULT_CITIES, current, "observed");
  const before = places.list();
  current.seed([row("London")]);
  const one = places.list();
  current.seed([{ ...row("London"), log_offset: 1 }]);
  expect(places.list()).toBe(one);
  expect(one).toEqual([...before]);
});
