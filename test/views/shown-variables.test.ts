import { describe, expect, test } from "bun:test";
import { CONTRACT_VARIABLES } from "../../core/variables.ts";
import { shownVariables, valueLabel } from "../../views/shown-variables.ts";
import { row } from "../support/fake-services.ts";

describe("shownVariables()", () => {
  test("has those of the contract where nothing was reported", () => {
    expect(shownVariables([null])).toEqual([...CONTRACT_VARIABLES]);
    expect(shownVariables([])).toEqual([...CONTRACT_VARIABLES]);
  });

  test("has another one that any of the reports has, 0 included", () => {
    const { wind_gust: _gust, dew_point: _dew, ...plain } = row(1);
    const before = shownVariables([plain]);
    expect(before).not.toContain("dew_point");
    expect(shownVariables([plain, { ...plain, dew_point: 0 }])).toContain("dew_point");
  });
});

test("valueLabel() says of what is the sum of an hour that it is", () => {
  expect([valueLabel("temperature"), valueLabel("rainfall")]).toEqual(["Temperature", "Rain 1 h"]);
});
