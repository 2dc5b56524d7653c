import { knownName, normalName } from "../../core/city-name.ts";
import { sha256Hex } from "../../core/checksum.ts";
import { systemClock } from "../../core/clock.ts";
import { isElevation } from "../../core/city.ts";
import { ConfigError } from "../../core/errors.ts";
import { describe } from "../../core/observation.ts";
import { isStationId, parseStations } from "../../core/station.ts";
import { formatTimestamp } from "../../core/time.ts";
import { readStations, stationsPath, writeStations } from "../config/stations-file.ts";
import { ECOWITT_PATH, WUNDERGROUND_PATH } from "../http/station-paths.ts";
import { type CommandContext, runCommand } from "./command.ts";

const USAGE = `Makes a station known that pushes its observations, and prints its key, once.

  bun run station:add ID --city NAME [--latitude N --longitude N] [--elevation M] [--sensor WORDS]

  ID             1 to 40 letters, digits, _ and -; its observations have the source station:ID
  --city NAME    the place whose weather it reports
  --latitude N, --longitude N
                 where it stands (default: where the city is, when it is one of CITIES_FILE)
  --elevation M  its height above sea level, m
  --sensor WORDS what it measures with

Only the key's SHA-256 is kept, in STATIONS_FILE or else in stations.json in DATA_DIR. A server knows it after a restart.
docs/stations.md tells how to point a station here.

Exit: 0 it is known, 1 the file cannot be written, 2 a wrong call.`;

/** Digits and lower-case letters that nobody takes for another: it is typed into consoles. */
const ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz";
/** 24 characters of 31 are 118 bits. */
const KEY_LENGTH = 24;

/** A station's key, made of random bytes. */
export function newStationKey(
  randomBytes: () => Uint8Array = () => crypto.getRandomValues(new Uint8Array(64)),
): string {
  let key = "";
  while (key.length < KEY_LENGTH) {
    for (const byte of randomBytes()) {
      if (byte >= 248 || key.length >= KEY_LENGTH) continue; // 8 × 31: a remainder of more would favour some characters
      key += ALPHABET[byte % ALPHABET.length];
    }
  }
  return key;
}

if (import.meta.main) {
  const options = {
    city: { type: "string" },
    latitude: { type: "string" },
    longitude: { type: "string" },
    elevation: { type: "string" },
    sensor: { type: "string" },
  } as const;
  await runCommand(USAGE, options, async (context) => {
    const { config, words } = context;
    const [id] = words;
    if (!isStationId(id) || words.length > 1) {
      throw new ConfigError(
        "bad_setting",
        `Cannot add the station ${describe(words.join(" "))}: wanted one id of 1 to 40 letters, digits, _ and -\n\n${USAGE}`,
      );
    }
    const stations = await readStations(config, { mayBeMissing: true });
    if (stations.some((one) => one.id.toLowerCase() === id.toLowerCase())) {
      throw new ConfigError("bad_setting", `Cannot add the station "${id}": it is known already`, {
        hint: `For a new key or another place edit ${stationsPath(config)}; docs/stations.md describes it.`,
      });
    }
    const key = newStationKey();
    const { city, period } = placeOf(context, id);
    const [fresh] = parseStations([{ id, city, key_sha256: sha256Hex(key), periods: [period] }]);
    await writeStations(config, [...stations, fresh!]);
    process.stdout.write(
      [
        `The station "${id}" is known, in ${stationsPath(config)}. Its key, which is not shown again:`,
        "",
        `  ${key}`,
        "",
        `Weather Underground protocol: path ${WUNDERGROUND_PATH}, station id ${id}, the key as password`,
        `Ecowitt protocol: path ${ECOWITT_PATH}/${key}`,
        "A server that runs knows it after a restart.",
        "",
      ].join("\n"),
    );
    return 0;
  });
}

/** Where a station stands, as the options and the configured cities say. */
function placeOf({ config, options }: CommandContext, id: string) {
  const wrong = (what: string) => new ConfigError("bad_setting", `Cannot add the station "${id}": ${what}`);
  const name = options.city;
  if (typeof name !== "string" || normalName(name) === "") throw wrong("wanted --city NAME");
  const city = knownName(name, config.cities);
  const known = config.cities.find((one) => one.name === city);
  const number = (option: "latitude" | "longitude" | "elevation") => {
    const text = options[option];
    if (text === undefined) return null;
    const value = typeof text === "string" && text.trim() !== "" ? Number(text) : NaN;
    if (Number.isNaN(value)) throw wrong(`--${option} is ${describe(text)}, wanted a number`);
    return value;
  };
  const [latitude, longitude, elevation] = [number("latitude"), number("longitude"), number("elevation")];
  if ((latitude === null) !== (longitude === null)) throw wrong("wanted --latitude and --longitude, or none");
  const place = latitude === null || longitude === null ? known : { latitude, longitude };
  if (place === undefined) {
    throw wrong(`"${city}" is none of the configured cities, wanted --latitude and --longitude too`);
  }
  if (Math.abs(place.latitude) > 90) throw wrong(`--latitude is ${place.latitude}, wanted −90 to 90`);
  if (Math.abs(place.longitude) > 180) throw wrong(`--longitude is ${place.longitude}, wanted −180 to 180`);
  if (elevation !== null && !isElevation(elevation)) {
    throw wrong(`--elevation is ${elevation}, wanted metres from −500 to 9000`);
  }
  return {
    city,
    period: {
      from: formatTimestamp(Math.floor(systemClock.now() / 1000) * 1000),
      latitude: place.latitude,
      longitude: place.longitude,
      // That of the city is none of the station's.
      elevation,
      sensor: typeof options.sensor === "string" ? options.sensor : null,
    },
  };
}
