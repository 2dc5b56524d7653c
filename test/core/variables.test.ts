import { describe, expect, test } from "bun:test";
import { impossibleReasons, parseObservation } from "../../core/observation.ts";
import {
  CHARTED_VARIABLES,
  CONTRACT_VARIABLES,
  OPTIONAL_VARIABLES,
  unitBeside,
  VARIABLE_NAMES,
  VARIABLES,
} from "../../core/variables.ts";

const NOW = Date.UTC(2026, 0, 31, 12);
const base = { timestamp: "2026-01-31T06:00:00Z", city: "London", source: "test" };

describe("VARIABLES", () => {
  test("has the five of the contract first, in the order of the record", () => {
    expect([...CONTRACT_VARIABLES]).toEqual([
      "temperature",
      "humidity",
      "pressure",
      "wind_speed",
      "rainfall",
    ]);
    expect([...VARIABLE_NAMES]).toEqual([...CONTRACT_VARIABLES, ...OPTIONAL_VARIABLES]);
  });

  test("lists those that are charted in the same order", () => {
    expect(VARIABLE_NAMES.filter((name) => VARIABLES[name].chart)).toEqual([...CHARTED_VARIABLES]);
  });

  test.each([...VARIABLE_NAMES])("takes every possible value of %s, and refuses one beyond", (name) => {
    const { range, example } = VARIABLES[name];
    const [low, high] = range;
    for (const value of [low, high, example]) {
      const parsed = parseObservation({ ...base, [name]: value }, NOW);
      expect(parsed.ok && parsed.observation[name]).toBe(value);
    }
    for (const value of [low - 1, high + 1, Number.NaN, String(example)]) {
      const parsed = parseObservation({ ...base, [name]: value }, NOW);
      const observation = parsed.ok ? parsed.observation : null;
      expect(observation?.[name] ?? null).toBeNull();
      expect(observation?.impossible).toBe(JSON.stringify({ [name]: String(value) }));
      expect(impossibleReasons(observation!)[0]).toStartWith(
        `${name} is ${value}, wanted a number from ${low} to ${high}`,
      );
    }
  });

  test("has CF standard names, as the conventions write them, each once", () => {
    const names = VARIABLE_NAMES.map((name) => VARIABLES[name].standardName);
    expect(names.filter((name) => !/^[a-z][a-z0-9_]+$/.test(name))).toEqual([]);
    expect(new Set(names).size).toBe(names.length);
  });
});

test("unitBeside() leaves out the unit of what has none", () => {
  expect([unitBeside("°C"), unitBeside("1")]).toEqual(["°C", ""]);
});
