import { describe, expect, test } from "bun:test";
import { OPTIONAL_VARIABLES, VARIABLE_NAMES } from "../../core/variables.ts";
import { OBSERVATION_COLUMNS } from "../../spark/engine.ts";
import { analysisViews } from "../../spark/views.ts";
import { fillViewText } from "../../spark/view-text.ts";

describe("fillViewText()", () => {
  test("repeats a part for each variable, across lines", () => {
    expect(fillViewText("SELECT {{each variable:max(@) AS\n  @_max, }}1 AS one")).toBe(
      `SELECT ${VARIABLE_NAMES.map((name) => `max(${name}) AS\n  ${name}_max, `).join("")}1 AS one`,
    );
  });

  test("repeats a part for each column of observations", () => {
    expect(fillViewText("{{each column:@;}}").split(";").slice(0, -1)).toEqual(
      OBSERVATION_COLUMNS.map(([name]) => name),
    );
  });

  test("knows those beyond the contract by themselves", () => {
    expect(fillViewText("{{each optional:@,}}")).toBe(OPTIONAL_VARIABLES.map((name) => `${name},`).join(""));
    expect(fillViewText("{{each gross alone:@,}}")).toBe("wind_direction,clouds,visibility,");
  });

  test("refuses a list that is not there", () => {
    expect(() => fillViewText("{{each planet:@}}")).toThrow(
      "Cannot repeat a view's text for each planet, wanted one of column, variable, optional, gross alone",
    );
  });

  test("leaves nothing to fill in any view", async () => {
    for (const { name, sql } of await analysisViews({ cities: [] }))
      expect([name, sql.includes("{{"), /@_|_@/.test(sql)]).toEqual([name, false, false]);
  });
});
