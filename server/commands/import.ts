import { describe } from "../../core/observation.ts";
import { stationSource } from "../../core/station.ts";
import { ConfigError } from "../../core/errors.ts";
import { readColumnMap } from "../../jobs/sources/column-map.ts";
import { Notes } from "../../jobs/sources/notes.ts";
import { readRecords } from "../../jobs/sources/replay.ts";
import { isSqlite, readWeewx } from "../../jobs/sources/weewx.ts";
import { readStations } from "../config/stations-file.ts";
import { type CommandContext, runCommand } from "./command.ts";
import { deliver } from "./deliver.ts";
import { datasetNamed, sourceNamed } from "./replay.ts";

const USAGE = `Adds recorded observations to the observed data, through the server when one is running.

  bun run import FILE [--map MAP.json] [--station ID | --city NAME] [--dataset NAME] [--source NAME]

  FILE            .jsonl, .csv (both also .gz), OpenWeatherMap's bulk-history CSV, any CSV with a column map,
                  or the database of WeeWX (weewx.sdb)
  --map MAP.json  which column is which field, in which unit: docs/import.md describes it
  --station ID    whose records they are: one of STATIONS_FILE
  --city NAME     whose weather it is, where the file does not say
  --dataset NAME  where to (default: DATASET, else "observed")
  --source NAME   who reported them, where the file does not say (default: the station, or the file's name)

A column map of a file with the columns time, where, t and rh, in Fahrenheit and by the clocks of New York:

  { "time": { "column": "time", "format": "M/D/YYYY h:mm A", "zone": "America/New_York" },
    "city": { "column": "where" },
    "fields": { "temperature": { "column": "t", "unit": "F" }, "humidity": { "column": "rh", "unit": "%" } } }

Observations that are there already are counted as duplicates. A record that cannot be read is kept with the reason, and the
first reasons are printed. Exit: 0 when the records are kept, 1 when not or when none could be read, 2 a wrong call.`;

if (import.meta.main) {
  const options = {
    dataset: { type: "string" },
    source: { type: "string" },
    map: { type: "string" },
    station: { type: "string" },
    city: { type: "string" },
  } as const;
  await runCommand(USAGE, options, async (context) => {
    const { config, logger, words, options } = context;
    const [file] = words;
    if (file === undefined || words.length > 1)
      throw new ConfigError("bad_setting", `Cannot import ${words.length} files: wanted one\n\n${USAGE}`);
    const dataset =
      options.dataset === undefined ? (config.dataset ?? "observed") : datasetNamed(options.dataset);
    const { city, source } = await whose(context);
    if (await isSqlite(file)) {
      if (city === null) {
        throw new ConfigError("bad_setting", `Cannot import ${file}: wanted --station ID or --city NAME`);
      }
      return deliver(context, dataset, readWeewx(file, { city, source: source ?? "weewx", logger }));
    }
    const map = typeof options.map === "string" ? await readColumnMap(options.map) : null;
    if (map === null && city !== null) {
      throw new ConfigError(
        "bad_setting",
        `Cannot import ${file} with --${options.station === undefined ? "city" : "station"}: wanted a WeeWX database or --map`,
      );
    }
    const notes = new Notes();
    const named = source ?? sourceNamed(undefined, file);
    return deliver(context, dataset, readRecords(file, { source: named, map, city, notes, logger }), notes);
  });
}

/** Whose records they are, as the options say. Null: the file says so itself. */
async function whose({ config, options }: CommandContext): Promise<{
  city: string | null;
  source: string | null;
}> {
  const { station: id, city } = options;
  const source = typeof options.source === "string" ? options.source : null;
  if (typeof id !== "string") return { city: typeof city === "string" ? city : null, source };
  if (city !== undefined) throw new ConfigError("bad_setting", "Cannot use --city and --station: wanted one");
  const stations = await readStations(config);
  const station = stations.find((one) => one.id.toLowerCase() === id.toLowerCase());
  if (station === undefined) {
    throw new ConfigError("bad_setting", `Cannot use --station ${describe(id)}: there is no such station`, {
      hint: "`bun run station:add` makes one.",
    });
  }
  return { city: station.city, source: source ?? stationSource(station.id) };
}
