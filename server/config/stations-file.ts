import { mkdir, open, readFile, rename } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { knownName } from "../../core/city-name.ts";
import { codeOf, ConfigError, messageOf } from "../../core/errors.ts";
import { parseStations, type RegisteredStation } from "../../core/station.ts";
import type { Config } from "./config.ts";

type Settings = Pick<Config, "dataDir" | "stationsFile">;

/** Where the stations are kept: `STATIONS_FILE`, else in the data folder. */
export function stationsPath({ dataDir, stationsFile }: Settings): string {
  return resolve(stationsFile ?? join(dataDir, "stations.json"));
}

/**
 * Reads the stations, with the configured spelling of their cities. A file that is not there has none, unless `STATIONS_FILE`
 * names it.
 *
 * @param options.mayBeMissing also a file that is named may not be there yet
 * @throws ConfigError `bad_setting` naming the file and what is wrong in it
 */
export async function readStations(
  settings: Settings & Pick<Config, "cities">,
  options: { mayBeMissing?: boolean } = {},
): Promise<RegisteredStation[]> {
  const path = stationsPath(settings);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    const mayBeMissing = settings.stationsFile === null || options.mayBeMissing === true;
    if (mayBeMissing && codeOf(cause) === "ENOENT") return [];
    throw new ConfigError(
      "bad_setting",
      `Cannot read the stations in ${path}: ${codeOf(cause) ?? messageOf(cause)}`,
      { cause, hint: "`bun run station:add` makes the file; without STATIONS_FILE it lies in DATA_DIR." },
    );
  }
  try {
    return parseStations(JSON.parse(text)).map((station) => ({
      ...station,
      city: knownName(station.city, settings.cities),
    }));
  } catch (cause) {
    const why = cause instanceof SyntaxError ? "it is no JSON" : messageOf(cause);
    throw new ConfigError("bad_setting", `Cannot read the stations in ${path}: ${why}`, { cause });
  }
}

/** Writes the stations: all of them or, when it fails, none. */
export async function writeStations(
  settings: Settings,
  stations: readonly RegisteredStation[],
): Promise<void> {
  const path = stationsPath(settings);
  const entries = stations.map(({ id, city, keySha256, periods }) => ({
    id,
    city,
    key_sha256: keySha256,
    periods,
  }));
  await mkdir(dirname(path), { recursive: true });
  const fresh = `${path}.new`;
  const file = await open(fresh, "w");
  try {
    await file.writeFile(`${JSON.stringify(entries, null, 2)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(fresh, path);
}
