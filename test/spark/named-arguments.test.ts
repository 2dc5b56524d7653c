import { expect, test } from "bun:test";
import { namedArguments } from "../../spark/named-arguments.ts";

test("namedArguments() finds each name once and in order", () => {
  expect(namedArguments("SELECT :b + :a_1*:b")).toEqual({ sql: "SELECT $b + $a_1*$b", names: ["b", "a_1"] });
});

test("namedArguments() leaves strings, identifiers, comments and casts alone", () => {
  const sql = `SELECT ':a' || 'it''s :b', ":c", x::int, '' -- :d it's\n, /* :e ' */ y FROM t`;
  expect(namedArguments(sql)).toEqual({ sql, names: [] });
  expect(namedArguments("SELECT '':a'' AS x").names).toEqual(["a"]);
  expect(namedArguments("SELECT :a::int, ':x', :b").names).toEqual(["a", "b"]);
});
