import { describe, expect, test } from "bun:test";
import { addressName, knownName, normalName } from "../../core/city-name.ts";

describe("normalName()", () => {
  test.each([
    ["London", "London"],
    ["  London ", "London"],
    ["New \u00a0 York", "New York"],
    ["Zu\u0308rich", "Zürich"],
    ["Lon\u200bdon", "London"],
    ["\u202eLondon\ufeff", "London"],
    ["a\u200b\u0301", "á"],
    ["東京\u3000", "東京"],
    ["oslo", "oslo"],
    ["", ""],
    [" \u3000", ""],
    ["Lon\ndon", ""],
  ])("makes of %j %j, and of that the same", (name, normal) => {
    expect(normalName(name)).toBe(normal);
    expect(normalName(normal)).toBe(normal);
  });
});

describe("knownName()", () => {
  const cities = [{ name: "New York" }, { name: "Zürich" }];

  test.each([
    ["new  york", "New York"],
    ["ZU\u0308RICH", "Zürich"],
    ["oslo ", "oslo"],
    ["New-York", "New-York"],
    [" ", " "],
  ])("of %j is %j", (name, known) => {
    expect(knownName(name, cities)).toBe(known);
  });

  test("is an exact name before another case of one", () => {
    expect(knownName("oslo", [{ name: "Oslo" }, { name: "oslo" }])).toBe("oslo");
  });
});

test("addressName() is the slug, and the name where another city is called as the slug is", () => {
  const oslo = { name: "Oslo", slug: "oslo" };
  expect(addressName(oslo, [oslo, { name: "Bern" }])).toBe("oslo");
  expect(addressName(oslo, [oslo, { name: "oslo" }])).toBe("Oslo");
});
