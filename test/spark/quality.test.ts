import { describe, expect, test } from "bun:test";
import type { Row } from "../../core/observation.ts";
import { FLAG_COLUMNS, QUALITY_TESTS } from "../../core/quality.ts";
import { OBSERVATION_COLUMNS } from "../../spark/engine.ts";
import { readLimits } from "../../spark/limits.ts";
import { sqlRunner } from "./jobs.ts";
import { observations } from "../support/lake-files.ts";
import { faultyWeather, QUALITY_CITIES, QUALITY_STATIONS } from "./quality-data.ts";
import { flagsOf } from "./quality-reference.ts";
import { expectRows } from "./reference.ts";

const facts = { cities: QUALITY_CITIES, stations: QUALITY_STATIONS };
const names = OBSERVATION_COLUMNS.map(([name]) => name).join(", ");

describe("the view quality", () => {
  const run = sqlRunner(facts);
  const flagsSql = `SELECT ${FLAG_COLUMNS.join(", ")} FROM quality ORDER BY city, source, timestamp`;
  const inOrder = (a: Row, b: Row) => (orderOf(a) < orderOf(b) ? -1 : 1);
  const orderOf = ({ city, source, timestamp }: Row) => [city, source, timestamp].join("\n");

  test("equals an independent computation over weather with every kind of fault", async () => {
    const limits = await readLimits();
    const seen = new Map<string, Set<unknown>>(QUALITY_TESTS.map((name) => [name, new Set()]));
    for (const seed of [1, 2]) {
      const rows = faultyWeather(seed);
      const found = await run(flagsSql, rows);
      const flags = flagsOf(rows, { ...facts, limits });
      const wanted = rows.toSorted(inOrder).map((row) => flags.get(row)!);
      expectRows(
        found,
        wanted.map((flags) => Object.fromEntries(FLAG_COLUMNS.map((name) => [name, flags[name]]))),
      );
      for (const name of QUALITY_TESTS) for (const flags of wanted) seen.get(name)?.add(flags[name]);
    }
    // Each flag of each test is among what was compared.
    const all = { q_time: [1, 2, 3, 4], q_consistency: [1, 2, 3, 4, 9], q_gross: [1, 3, 4, 9] };
    for (const name of QUALITY_TESTS)
      expect([name, [...(seen.get(name) ?? [])].sort()]).toEqual([
        name,
        { ...all }[name as "q_time"] ?? [1, 2, 3, 4, 9],
      ]);
  });

  test("has every column of the observations as it is, and a row for each", async () => {
    const { rows } = observations(3);
    const sql = (view: string) => `SELECT ${names} FROM ${view} ORDER BY city, source, timestamp`;
    expect(await run(sql("quality"), rows)).toEqual(await run(sql("observations"), rows));
    const [first] = await run("SELECT * FROM quality LIMIT 1", rows);
    expect(Object.keys(first ?? {}).slice(0, OBSERVATION_COLUMNS.length)).toEqual(
      OBSERVATION_COLUMNS.map(([name]) => name),
    );
    expect(Object.keys(first ?? {}).toSorted()).toEqual(
      [...OBSERVATION_COLUMNS.map(([name]) => name), ...FLAG_COLUMNS].toSorted(),
    );
    expect(await run("SELECT * FROM quality", [])).toEqual([]);
  });
});
