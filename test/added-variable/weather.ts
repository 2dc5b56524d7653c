import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { DEFAULT_CITIES } from "../../core/city.ts";
import { DAY_MS, formatTimestamp, HOUR_MS } from "../../core/time.ts";
import { serveProvider } from "../jobs/sources/provider.ts";
import { type Env, eventually, postLines } from "../support/running.ts";

/** Today's midnight, UTC, ms. */
const MIDNIGHT = Math.floor(Date.now() / DAY_MS) * DAY_MS;

/** A time of a day before today, which is closed: ISO 8601 UTC. */
export function timeOf(daysAgo: number, hour: number): string {
  return formatTimestamp(MIDNIGHT - daysAgo * DAY_MS + hour * HOUR_MS);
}

/** Open-Meteo for one place, with the UV index where it is asked for it. It knows no past. */
export function openMeteoWithUvIndex(uvIndex: number) {
  const seconds = Math.floor(Date.now() / 1000);
  return serveProvider((url) => {
    if (url.searchParams.has("hourly")) return Response.json({ hourly: { time: [] } });
    const asked = (url.searchParams.get("current") ?? "").split(",");
    const known = { temperature_2m: 9.5, weather_code: 3, uv_index: uvIndex };
    const current = Object.fromEntries(Object.entries(known).filter(([name]) => asked.includes(name)));
    return Response.json({ current: { time: seconds - (seconds % 900), ...current } });
  });
}

/** Settings of a program that watches London by Open-Meteo and compacts what is closed at once. */
export async function settings(folder: string, endpoint: string): Promise<Env> {
  const cities = join(folder, "cities.json");
  await Bun.write(cities, JSON.stringify(DEFAULT_CITIES.filter(({ name }) => name === "London")));
  return {
    DATA_DIR: join(folder, "data"),
    CITIES_FILE: cities,
    WEATHER_SOURCE: "open-meteo",
    OPEN_METEO_URL: endpoint,
    COMPACT_AFTER_HOURS: "0",
  };
}

/** Posts London's reports of three hours of a day, each in a file of its own, and waits until the day is one Parquet file. */
export async function compactedDay(
  url: URL,
  folder: string,
  daysAgo: number,
  measured: Record<string, number>,
): Promise<string> {
  const lines = [6, 7, 8].map((hour) =>
    JSON.stringify({ timestamp: timeOf(daysAgo, hour), city: "London", source: "roof", ...measured }),
  );
  await postLines(url, lines);
  const lake = join(folder, "data/lake/observed");
  const day = join("observations", `date=${timeOf(daysAgo, 0).slice(0, 10)}`);
  const commits = join(lake, "commits/weather.observed/0");
  return eventually(`${day} is compacted`, async () => {
    const files = await readdir(join(lake, day)).catch(() => []);
    const found = files.find((name) => name.endsWith(".parquet"));
    if (found === undefined) return undefined;
    // The file counts once an entry of the chain names it.
    for (const entry of await readdir(commits))
      if ((await Bun.file(join(commits, entry)).text()).includes(found)) return join(lake, day, found);
    return undefined;
  });
}
