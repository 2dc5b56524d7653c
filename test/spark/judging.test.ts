import { expect, test } from "bun:test";
import { judgingBy, overVerdicts } from "../../spark/judging.ts";
import { analysisViews } from "../../spark/views.ts";

const place = { name: "Bern", slug: "bern", latitude: 46.9, longitude: 7.4, zone: "Europe/Zurich" };

test("judgingBy() has another version when a limit or a view up to quality changes, and no other", async () => {
  const views = await analysisViews({ cities: [] });
  const { version, places } = judgingBy(views);
  expect(version).toMatch(/^[0-9a-f]{16}$/);
  expect(places).toMatch(/^[0-9a-f]{8}$/);
  const changed = (name: string) =>
    judgingBy(views.map((view) => (view.name === name ? { name, sql: `${view.sql} ` } : view)));
  for (const name of ["limits", "levels", "quality_alone", "quality"])
    expect([name, changed(name).version === version]).toEqual([name, false]);
  for (const name of ["baseline", "anomaly", "city_hours"])
    expect(changed(name)).toEqual({ ...judgingBy(views) });
});

test("judgingBy() has the same version for other places, and another mark", async () => {
  const [none, some] = await Promise.all([[], [place]].map((cities) => analysisViews({ cities })));
  const [without, with_] = [judgingBy(none!), judgingBy(some!)];
  expect(with_.version).toBe(without.version);
  expect(with_.places).not.toBe(without.places);
});

test("overVerdicts() leaves no view that some other reads and that is not there", async () => {
  const views = overVerdicts(await analysisViews({ cities: [place] }));
  const all = (await analysisViews({ cities: [place] })).map(({ name }) => name);
  const kept = new Set(views.map(({ name }) => name));
  for (const { name, sql } of views) {
    const read = [...sql.matchAll(/\b(?:FROM|JOIN)\s+(\w+)/g)].map(([, table]) => table!);
    const own = [...sql.matchAll(/(\w+) AS \(/g)].map(([, cte]) => cte!);
    const missing = read.filter((table) => all.includes(table) && !kept.has(table) && !own.includes(table));
    expect([name, missing]).toEqual([name, []]);
  }
});
