import { expect, test } from "bun:test";
import { conditionOfWmo } from "../../../jobs/sources/wmo.ts";

test("conditionOfWmo() knows every code that Open-Meteo sends", () => {
  const groups: Record<string, number[]> = {
    Clear: [0, 1],
    Clouds: [2, 3],
    Fog: [45, 48],
    Drizzle: [51, 53, 55, 56, 57],
    Rain: [61, 63, 65, 66, 67, 80, 81, 82],
    Snow: [71, 73, 75, 77, 85, 86],
    Thunderstorm: [95, 96, 99],
  };
  for (const [group, codes] of Object.entries(groups))
    for (const code of codes) expect([code, conditionOfWmo(code)?.main]).toEqual([code, group]);
  expect(conditionOfWmo(63)).toEqual({ main: "Rain", description: "moderate rain" });
});

test("conditionOfWmo() has one answer for each code of the present, none for the hour before", () => {
  for (let code = 0; code < 100; code++)
    expect([code, conditionOfWmo(code) === null]).toEqual([code, code >= 20 && code <= 29]);
});

test("conditionOfWmo() is null for what is no code", () => {
  for (const code of [-1, 100, 1.5, NaN, null, undefined, "0", {}]) expect(conditionOfWmo(code)).toBeNull();
});
