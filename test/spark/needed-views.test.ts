import { describe, expect, test } from "bun:test";
import { neededViews } from "../../spark/needed-views.ts";

const views = [
  { name: "cities", sql: "SELECT 'Oslo' AS city" },
  { name: "level", sql: "SELECT * FROM observations" },
  { name: "quality", sql: "SELECT * FROM observations JOIN level JOIN cities" },
  { name: "quality_daily", sql: "SELECT * FROM observations" },
];
const namesOf = (sql: string) => neededViews(sql, views).map(({ name }) => name);

describe("neededViews()", () => {
  test("are those a text reads, and those that they read, in their order", () => {
    expect(namesOf("SELECT * FROM quality")).toEqual(["cities", "level", "quality"]);
    expect(namesOf('SELECT * FROM "Level"')).toEqual(["level"]);
    expect(namesOf("SELECT * FROM observations")).toEqual([]);
  });

  test("are not those whose name is part of another", () => {
    expect(namesOf("SELECT * FROM quality_daily")).toEqual(["quality_daily"]);
  });
});
