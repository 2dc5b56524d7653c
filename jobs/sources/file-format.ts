import { SourceError } from "../../core/errors.ts";
import { VARIABLE_NAMES } from "../../core/variables.ts";
import { type ColumnMap, parseColumnMap } from "./column-map.ts";
import { isBulkHeader, isRecordHeader, splitCsv } from "./csv.ts";
import { finished, isDraft } from "./draft.ts";
import { type Encoding, encodingOf } from "./encoding.ts";
import { bytesOf, linesOf } from "./lines.ts";
import { mapParser } from "./map-parser.ts";
import { Notes } from "./notes.ts";
import { STATION_PRESETS } from "./presets/own-stations.ts";
import type { Preset } from "./presets/preset.ts";
import { SERVICE_PRESETS } from "./presets/weather-services.ts";
import { findHeader } from "./table-header.ts";

/** The formats that are known by a name, besides the program's own and OpenWeatherMap's. */
export const PRESETS: readonly Preset[] = [...STATION_PRESETS, ...SERVICE_PRESETS];

/** Lines of a file that tell its format. */
const SAMPLE_LINES = 1_000;

/** Whether a preset's files do not say by which clock their times are. */
export function needsZone({ map }: Preset): boolean {
  return map.time.zone === null;
}

/**
 * The column map of a preset.
 *
 * @param options.zone of the file's clock, where the preset leaves it open or is to be told another one
 * @param options.source who reported the values; null for the preset's name
 * @throws {TypeError} for a zone that does not exist
 */
export function presetMap(
  { name, map }: Preset,
  options: { zone: string | null; source: string | null; encoding: Encoding | null },
): ColumnMap {
  const { zone = null, ...time } = map.time;
  const said = options.zone ?? zone;
  return parseColumnMap({
    ...map,
    time: said === null ? time : { ...time, zone: said },
    encoding: options.encoding,
    source: options.source ?? name,
  });
}

/** The beginning of a file. */
export interface FileHead {
  encoding: Encoding;
  lines: string[];
}

/** Reads the beginning of a file. @throws SourceError `bad_file` when it cannot be read */
export async function readHead(path: string): Promise<FileHead> {
  let encoding: Encoding = "utf-8";
  for await (const block of bytesOf(path)) {
    encoding = encodingOf(block);
    break;
  }
  const lines: string[] = [];
  for await (const block of linesOf(path, () => {}, encoding)) {
    lines.push(...block);
    if (lines.length >= SAMPLE_LINES) break;
  }
  return { encoding, lines: lines.slice(0, SAMPLE_LINES) };
}

/** Whether a file has a header that needs no map: the record's field names, or OpenWeatherMap's bulk history. */
export function isOwnHeader({ lines }: FileHead): boolean {
  const columns = splitCsv(lines[0] ?? "")?.map((name) => name.trim()) ?? [];
  return isRecordHeader(columns) || isBulkHeader(columns);
}

/** Part of the most values that a preset may read less and still fit: a few odd values tell no format. */
const CLOSE = 0.05;

/**
 * The presets that read the beginning of a file best: with the fewest lines that are none, and of those with the most values
 * that can have been measured. Several when it does not tell them apart, none when no preset reads most of its lines.
 *
 * @throws SourceError `bad_file` of a preset whose columns the file has, but not as it must, when no other reads it
 */
export function presetsOf({ lines }: FileHead): Preset[] {
  let refusal: unknown;
  const fits = PRESETS.flatMap((preset) => {
    try {
      const fit = fitOf(preset, lines);
      return fit === null ? [] : [{ preset, ...fit }];
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
      refusal ??= error;
      return [];
    }
  });
  if (fits.length === 0 && refusal !== undefined) throw refusal;
  const bad = Math.min(...fits.map((fit) => fit.bad));
  const best = fits.filter((fit) => fit.bad === bad);
  const least = Math.max(...best.map(({ values }) => values)) * (1 - CLOSE);
  return best.filter(({ values }) => values >= least).map(({ preset }) => preset);
}

/**
 * How a preset reads lines: those that are none, and its values, the impossible ones taken off. Null when it does not read
 * most of the lines, or no value.
 */
function fitOf(preset: Preset, lines: readonly string[]): { bad: number; values: number } | null {
  const map = presetMap(preset, { zone: preset.map.time.zone ?? "UTC", source: null, encoding: null });
  const header = findHeader(lines, map);
  if (header === null || !preset.head.every((name) => header.columns.includes(name))) return null;
  const parse = mapParser(header, map, { source: preset.name, city: "here", notes: new Notes() });
  let [values, good, bad] = [0, 0, 0];
  for (const line of lines.slice(header.size)) {
    const read = line === "" ? null : parse(line);
    if (read === null) continue;
    if (!isDraft(read)) {
      bad++;
      continue;
    }
    good++;
    const parsed = finished(read);
    if (!parsed.ok) continue;
    const { observation } = parsed;
    values += VARIABLE_NAMES.filter((name) => (observation[name] ?? null) !== null).length;
    values -= Object.keys(JSON.parse(observation.impossible ?? "{}") as object).length;
  }
  return good > bad && values > 0 ? { bad, values } : null;
}
