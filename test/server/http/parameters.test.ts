import { describe, expect, test } from "bun:test";
import { slugOf } from "../../../core/slug.ts";
import { findCity } from "../../../server/http/parameters.ts";

const placesOf = (...names: string[]) =>
  names.map((name) => ({ name, slug: slugOf(name), latitude: null, longitude: null, zone: null }));

describe("findCity()", () => {
  const places = placesOf(
    "Saint Denis",
    "Saint-Denis",
    "London",
    "Zürich",
    "Oslo",
    "oslo",
    "東京",
    "Łódź",
    "Lodz!",
  );

  test.each([
    ["Saint-Denis", "Saint-Denis"],
    ["Saint Denis", "Saint Denis"],
    ["saint-denis", "Saint Denis"],
    [slugOf("Saint-Denis"), "Saint-Denis"],
    ["london", "London"],
    ["LONDON", "London"],
    [" London", "London"],
    ["oslo", "oslo"],
    ["Oslo", "Oslo"],
    ["Zu\u0308rich", "Zürich"],
    ["ZÜRICH", "Zürich"],
    ["zurich", "Zürich"],
    ["東京", "東京"],
    [slugOf("東京"), "東京"],
  ])("of %s is %s, in any order of the cities", (text, name) => {
    expect(findCity(places, text)?.name).toBe(name);
    expect(findCity(places.toReversed(), text)?.name).toBe(name);
  });

  test.each(["city", "lodz", "", "-", "Zurich"])("of %j is none: it could be another", (text) => {
    expect(findCity(places, text)).toBeUndefined();
  });

  test("never takes a name for another that is there no more", () => {
    expect(findCity(placesOf("Saint Denis"), "Saint-Denis")).toBeUndefined();
  });
});
