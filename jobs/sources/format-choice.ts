import { ConfigError, messageOf, SourceError } from "../../core/errors.ts";
import { describe } from "../../core/observation.ts";
import { type ColumnMap, readColumnMap } from "./column-map.ts";
import { isOwnHeader, needsZone, presetMap, PRESETS, presetsOf, readHead } from "./file-format.ts";
import type { Preset } from "./presets/preset.ts";

/** What `import --formats` prints: a line for each format. */
export function formatList(): string {
  const width = Math.max(...PRESETS.map(({ name }) => name.length));
  const lines = PRESETS.map((preset) => {
    const zone = needsZone(preset) ? " (--zone)" : "";
    return `  ${preset.name.padEnd(width)}  ${preset.title}${zone}`;
  });
  return [
    "Read by themselves: .jsonl, .csv with the record's field names (what the API gives as CSV is such), OpenWeatherMap's",
    "bulk history, and the database of WeeWX. Formats with a name, guessed from the file or told with --format:",
    "",
    ...lines,
    "",
    "Those with (--zone) do not say by which clock their times are. `--formats NAME` prints the column map of one, to",
    "change it and use it with --map.",
  ].join("\n");
}

/** The column map of a format as text, to be changed and used with `--map`. @throws ConfigError for an unknown name */
export function formatMap(name: string): string {
  return JSON.stringify(presetNamed(name).map, null, 2);
}

/** How a file is read, as the options say or the file itself tells. */
export interface FileFormat {
  /** Null: it needs none. */
  map: ColumnMap | null;
  /** What to say of how it is read; null where that was told. */
  words: string | null;
}

/**
 * Finds how a file is read.
 *
 * @param options `map`, `format` and `zone` of the command
 * @param source who reported the values; null where that is not said
 * @throws ConfigError when options contradict each other, or the file may be of several formats, or a zone is wanted;
 *   SourceError `bad_file` when it cannot be read
 */
export async function formatOf(
  file: string,
  options: Record<string, string | boolean | undefined>,
  source: string | null,
): Promise<FileFormat> {
  const { map, format, zone = null } = options;
  if (typeof map === "string") {
    if (format !== undefined || zone !== null)
      throw new ConfigError(
        "bad_setting",
        `Cannot use --map with --${format === undefined ? "zone" : "format"}`,
        {
          hint: "The map says both.",
        },
      );
    return { map: await readColumnMap(map), words: null };
  }
  const unnamed = (): FileFormat => {
    if (zone === null) return { map: null, words: null };
    throw new ConfigError(
      "bad_setting",
      `Cannot use --zone with ${file}: it is of no format that --formats lists`,
    );
  };
  if (format === undefined && /\.jsonl(\.gz)?$/.test(file)) return unnamed();
  const head = await readHead(file);
  if (format === undefined && isOwnHeader(head)) return unnamed();
  const found = typeof format === "string" ? [presetNamed(format)] : presetsOf(head);
  const [preset, other] = found;
  if (preset === undefined) return unnamed();
  if (other !== undefined) {
    const names = found.map(({ name, title }) => `  ${name}: ${title}`).join("\n");
    throw new ConfigError(
      "bad_setting",
      `Cannot tell the format of ${file}: wanted --format, one of\n${names}`,
    );
  }
  if (needsZone(preset) && zone === null) {
    throw new ConfigError(
      "bad_setting",
      `Cannot import ${file} as ${preset.name}: its times are of a clock that it does not name, wanted --zone`,
      {
        hint: "Such as --zone Europe/London, or --zone -05:00 where the clock keeps standard time all year.",
      },
    );
  }
  try {
    const read = presetMap(preset, { zone: zone as string | null, source, encoding: head.encoding });
    return { map: read, words: `Read as ${preset.name}: ${preset.title}` };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new SourceError("bad_file", `Cannot import ${file} as ${preset.name}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

function presetNamed(name: string): Preset {
  const preset = PRESETS.find((one) => one.name === name);
  if (preset !== undefined) return preset;
  throw new ConfigError("bad_setting", `Cannot use --format ${describe(name)}: there is no such format`, {
    hint: "`bun run import --formats` lists them.",
  });
}
