import { expect, test } from "bun:test";
import { join } from "node:path";
import { formatTimestamp } from "../../core/time.ts";
import { eventually, type Json, postLines, startHere, temporaryFolder } from "../support/running.ts";

/** Offsets of the reports of a source, by city. */
type Cities = Record<string, number[]>;

test("a city keeps its slug when another reports and after a restart, and look-alikes of a name are one city", async () => {
  await using folder = await temporaryFolder();
  const cities = join(folder.path, "cities.json");
  const zone = "Asia/Tokyo";
  const configured = ["東京", "大阪", "Oslo"].map((name) => ({
    name,
    latitude: 35.6,
    longitude: 139.6,
    zone,
  }));
  await Bun.write(cities, JSON.stringify(configured));
  const env = { DATA_DIR: join(folder.path, "data"), CITIES_FILE: cities, POLL_SECONDS: "3600" };
  const start = Math.floor(Date.now() / 1000) * 1000 - 3_600_000;
  const record = (city: string, minute: number) =>
    JSON.stringify({
      timestamp: formatTimestamp(start + minute * 60_000),
      city,
      temperature: minute,
      source: "t",
    });
  const slugs = async (get: (path: string) => Promise<{ body: Json }>) => {
    const { body } = await get("/api/v1/cities");
    return new Map((body.rows as Json[]).map(({ name, slug }) => [name as string, slug as string]));
  };
  let before: Map<string, string>;
  {
    await using here = await startHere(env);
    await postLines(here.url, [record("札幌", 1), record("Saint Denis", 1), record("Zürich", 1)]);
    before = await eventually("three more cities are known", async () => {
      const found = await slugs(here.get);
      return found.size === 6 ? found : undefined;
    });
    expect(before.get("Saint Denis")).toBe("saint-denis");
    const lookAlikes = [" oslo", "OSLO", "O\u200bslo", "Zu\u0308rich ", "Saint  Denis"];
    const { body } = await postLines(here.url, [
      ...lookAlikes.map((city, i) => record(city, i + 2)),
      record("京都", 2),
      record("Saint-Denis", 30),
      record("City", 2),
      record(" ", 2),
    ]);
    expect(body.appended).toBe(9);
    const rows = await eventually("every row is committed", async () => {
      const from = formatTimestamp(start);
      const { body } = await here.get(`/api/v1/observations?from=${from}&limit=10000`);
      const found = (body.rows as Json[]).filter(({ source }) => source === "t");
      return found.length === 11 ? found : undefined;
    });
    const byCity: Cities = {};
    for (const { city, temperature } of rows) (byCity[city as string] ??= []).push(temperature as number);
    expect(byCity).toEqual({
      札幌: [1],
      京都: [2],
      City: [2],
      Oslo: [2, 3, 4],
      Zürich: [1, 5],
      "Saint Denis": [1, 6],
      "Saint-Denis": [30],
    });
    const asked = async (city: string) =>
      (await here.get(`/api/v1/current?city=${encodeURIComponent(city)}`)).body.rows?.map(
        (row: Json) => row.city,
      );
    expect(await asked("Saint-Denis")).toEqual(["Saint-Denis"]);
    expect(await asked("Saint Denis")).toEqual(["Saint Denis"]);
    expect(await asked("saint-denis")).toEqual(["Saint Denis"]);
    expect(await asked("city")).toEqual(["City"]);
    expect(await asked(before.get("札幌")!)).toEqual(["札幌"]);
    const pipeline = await (await fetch(new URL("/pipeline", here.url))).text();
    expect(pipeline).toMatch(/city is (?:"|&#34;|&quot;) (?:"|&#34;|&quot;), wanted a name/);
    const after = await slugs(here.get);
    expect(after.size).toBe(9);
    for (const [name, slug] of before) expect([name, after.get(name)]).toEqual([name, slug]);
    before = after;
  }
  await using again = await startHere(env);
  await eventually("all are known again", async () =>
    (await slugs(again.get)).size === 9 ? true : undefined,
  );
  expect(await slugs(again.get)).toEqual(before);
}, 60_000);
