import { describe, expect, test } from "bun:test";
import { DEFAULT_CITIES } from "../../core/city.ts";
import { plainText, slugOf } from "../../core/slug.ts";

describe("slugOf()", () => {
  test.each([
    ["London", "london"],
    ["New York", "new-york"],
    ["Rio de Janeiro", "rio-de-janeiro"],
    ["La Paz", "la-paz"],
    ["Station 0007", "station-0007"],
  ])("of the plain name %s is %s", (name, slug) => {
    expect(slugOf(name)).toBe(slug);
  });

  test("of the default cities is what it was", () => {
    for (const { name, slug } of DEFAULT_CITIES) expect(slugOf(name)).toBe(slug);
  });

  // Pinned: the checksums are the beginning of `printf %s NAME | sha256sum`.
  test.each([
    ["Ørsted", "orsted--e3efdb40f8e0"],
    ["Łódź", "lodz--bc8847fc65f1"],
    ["Gießen", "giessen--80987b7bbb9e"],
    ["Saint-Denis", "saint-denis--6043fb903958"],
    ["東京", "city--130016b2599b"],
  ])("of %s is %s, with a checksum", (name, slug) => {
    expect(slugOf(name)).toBe(slug);
  });

  test("of no two names is the same, in any spelling", () => {
    const texts =
      "Saint Denis|Saint-Denis|SAINT DENIS|saint denis|saint-denis|Saint  Denis|Saint Denis |Rio de Janeiro|Rio De Janeiro|" +
      "São Paulo|Sao Paulo|Sa\u0303o Paulo|Zürich|Zurich|東京|北京|大阪|City|city|!|?|Tokyo|Tokyo 東京|Tokyo 北京";
    const long = ["x".repeat(200), "X".repeat(200), ...[79, 80, 199].map((n) => `X${"x".repeat(n)}`)];
    const names = [...texts.split("|"), ...long];
    const slugs = names.map(slugOf);
    expect(new Set(slugs).size).toBe(names.length);
    for (const slug of slugs) expect(slug).toMatch(/^[a-z0-9-]{1,100}$/);
  });
});

describe("plainText()", () => {
  test.each([
    ["Ørsted, Łódź & Gießen", "orsted-lodz-giessen", true],
    ["Þingvellir", "thingvellir", true],
    ["İstanbul", "istanbul", true],
    ["Œuilly-ĐẠI", "oeuilly-dai", true],
    ["Tokyo 東京", "tokyo", false],
    ["Москва", "", false],
  ])("of %s is %s", (text, plain, isWhole) => {
    expect(plainText(text)).toEqual({ text: plain, isWhole });
  });
});
