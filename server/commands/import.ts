import { systemClock } from "../../core/clock.ts";
import { formatTimestamp } from "../../core/time.ts";
import { type Variable, VARIABLES } from "../../core/variables.ts";
import { DryRun, OBSERVED_FIELDS } from "../../jobs/dry-run.ts";
import type { NewRecord } from "../../jobs/log/log.ts";
import { describe } from "../../core/observation.ts";
import { stationSource } from "../../core/station.ts";
import { ConfigError } from "../../core/errors.ts";
import type { ColumnMap } from "../../jobs/sources/column-map.ts";
import { Notes } from "../../jobs/sources/notes.ts";
import { readRecords } from "../../jobs/sources/replay.ts";
import { isSqlite, readWeewx } from "../../jobs/sources/weewx.ts";
import { readStations } from "../config/stations-file.ts";
import { type CommandContext, runCommand, textTable } from "./command.ts";
import { deliver } from "./deliver.ts";
import { formatList, formatMap, formatOf } from "../../jobs/sources/format-choice.ts";
import { datasetNamed, sourceNamed } from "./replay.ts";

/** Cities of a dry run that are named. */
const CITIES_TOLD = 5;

const USAGE = `Adds recorded observations to the observed data, through the server when one is running.

  bun run import FILE [--format NAME [--zone ZONE] | --map MAP.json] [--station ID | --city NAME] [--dataset NAME]
                      [--source NAME] [--dry-run]

  FILE            .jsonl, .csv (both also .gz), OpenWeatherMap's bulk-history CSV, a file of a format that --formats
                  lists, any CSV with a column map, or the database of WeeWX (weewx.sdb)
  --formats       lists the formats; with a NAME prints the column map of one
  --format NAME   the format of the file, where it is not to be told from the file itself
  --zone ZONE     by which clock the times of a format are: UTC, -05:00, Europe/London
  --map MAP.json  which column is which field, in which unit: docs/import.md describes it
  --station ID    whose records they are: one of STATIONS_FILE
  --city NAME     whose weather it is, where the file does not say
  --dataset NAME  where to (default: DATASET, else "observed")
  --source NAME   who reported them, where the file does not say (default: the station, or the file's name)
  --dry-run       writes nothing, and says what would be done: how much would be kept or rejected and why, what each column
                  became, and the first rows with their times as in the file and in UTC

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
    format: { type: "string" },
    formats: { type: "boolean" },
    zone: { type: "string" },
    station: { type: "string" },
    city: { type: "string" },
    "dry-run": { type: "boolean" },
  } as const;
  await runCommand(USAGE, options, async (context) => {
    const { config, logger, words, options } = context;
    const [file] = words;
    if (options.formats === true) {
      process.stdout.write(`${file === undefined ? formatList() : formatMap(file)}\n`);
      return 0;
    }
    if (file === undefined || words.length > 1)
      throw new ConfigError("bad_setting", `Cannot import ${words.length} files: wanted one\n\n${USAGE}`);
    const dataset =
      options.dataset === undefined ? (config.dataset ?? "observed") : datasetNamed(options.dataset);
    const { city, source } = await whose(context);
    const isDry = options["dry-run"] === true;
    if (await isSqlite(file)) {
      if (city === null) {
        throw new ConfigError("bad_setting", `Cannot import ${file}: wanted --station ID or --city NAME`);
      }
      const records = readWeewx(file, { city, source: source ?? "weewx", logger });
      if (isDry) return dryRun(dataset, records, new DryRun(), null, new Notes());
      return deliver(context, dataset, records);
    }
    const { map, words: how } = await formatOf(file, options, source);
    if (map === null && city !== null) {
      throw new ConfigError(
        "bad_setting",
        `Cannot import ${file} with --${options.station === undefined ? "city" : "station"}: wanted a WeeWX database or --map, or a file of a format that --formats lists`,
      );
    }
    if (how !== null) process.stdout.write(`${how}\n`);
    const named = source ?? sourceNamed(undefined, file);
    const notes = new Notes();
    const dry = new DryRun();
    const records = readRecords(file, {
      source: named,
      map,
      city,
      notes,
      logger,
      ...(isDry ? { see: dry } : {}),
    });
    return isDry ? dryRun(dataset, records, dry, map, notes) : deliver(context, dataset, records, notes);
  });
}

/** Reads records, and prints what an import of them would do. 1 when none could be read. */
async function dryRun(
  dataset: string,
  records: AsyncIterable<NewRecord[]>,
  dry: DryRun,
  map: ColumnMap | null,
  notes: Notes,
): Promise<0 | 1> {
  await dry.read(records, systemClock.now());
  process.stdout.write(`${describeDryRun(dataset, dry, map, notes)}\n`);
  return dry.records > 0 && dry.observations === 0 ? 1 : 0;
}

function describeDryRun(dataset: string, dry: DryRun, map: ColumnMap | null, notes: Notes): string {
  const rejected = dry.records - dry.observations;
  const parts = [
    "A dry run: nothing was written, and what the data set has already was not looked at.",
    `${dry.records} records for the data set "${dataset}": ${dry.observations} observations, ${rejected} rejected`,
  ];
  if (dry.again > 0)
    parts.push(`${dry.again} observations are of a city and time that came before, and are joined with it`);
  if (dry.observations > 0) {
    const cities = [...dry.cities].sort();
    const more = cities.length > CITIES_TOLD ? `, … (${cities.length})` : "";
    parts.push(
      `Times: ${formatTimestamp(dry.from)} to ${formatTimestamp(dry.to)}`,
      `Cities: ${cities.slice(0, CITIES_TOLD).join(", ")}${more}`,
      `\nWhat the columns became:\n${columnTable(dry, map)}`,
      ...unreadColumns(dry, map),
    );
  }
  if (dry.first.length > 0) parts.push(`\nThe first rows:\n${rowTable(dry)}`);
  for (const [title, lines] of [
    ["Rejected", dry.rejected.lines()],
    ["Left out, because it is impossible", dry.impossible.lines()],
    ["Of note", notes.lines()],
  ] as const)
    if (lines.length > 0) parts.push(`\n${title}:\n${lines.map((line) => `  ${line}`).join("\n")}`);
  return parts.join("\n");
}

/** What became of each column of the map that the file has, or of each field where there is no map. */
function columnTable({ columns, fields }: DryRun, map: ColumnMap | null): string {
  const isThere = ({ column }: { column: string }) =>
    columns === null || map?.long != null || columns.includes(column);
  const mapped = [...(map?.numbers ?? []), ...(map?.texts ?? [])].filter(isThere);
  const found = new Set([...mapped.map(({ field }) => field), ...fields.keys()]);
  const rows = [...found].map((field) => {
    const names = mapped.filter((one) => one.field === field).map(({ column }) => column);
    const amount = map?.numbers.find((one) => one.field === field && isThere(one))?.rain?.amount ?? "hour";
    const { count = 0, least, greatest } = fields.get(field) ?? {};
    const unit = Object.hasOwn(VARIABLES, field) ? VARIABLES[field as Variable].unit : "";
    return [
      names.join(" or ") || field,
      amount === "hour" ? field : `${field} (${amount})`,
      count,
      String(least ?? ""),
      String(greatest ?? ""),
      unit,
    ];
  });
  return textTable(["column", "field", "values", "least", "greatest", "unit"], rows);
}

/** A line that names the columns of the file of which the map says nothing; none where there is none. */
function unreadColumns({ columns }: DryRun, map: ColumnMap | null): string[] {
  if (columns === null || map === null) return [];
  const { numbers, texts, time, city, source, long, only, except } = map;
  const read = new Set([...numbers, ...texts].map(({ column }) => column));
  for (const name of [city, source]) if (name !== null && "column" in name) read.add(name.column);
  for (const name of [...time.columns, ...Object.values(long ?? {}), ...only.keys(), ...except.keys()])
    read.add(name);
  const unread = columns.filter((name) => !read.has(name));
  return unread.length === 0 ? [] : [`Not read: ${unread.join(", ")}`];
}

/** The first rows, with their times as in the file and in UTC. */
function rowTable({ first }: DryRun): string {
  const fields = OBSERVED_FIELDS.filter((field) =>
    first.some(({ observation }) => (observation[field] ?? null) !== null),
  );
  const clocks = first.some(({ clock }) => clock !== null) ? ["time in the file"] : [];
  const rows = first.map(({ clock, observation }) => [
    ...clocks.map(() => clock ?? ""),
    observation.timestamp,
    observation.city,
    observation.source,
    ...fields.map((field) => String(observation[field] ?? "")),
  ]);
  return textTable([...clocks, "UTC", "city", "source", ...fields], rows);
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
