import { SourceError } from "../../core/errors.ts";
import { describe } from "../../core/observation.ts";
import type { NumberColumn, TextColumn } from "./column-fields.ts";
import type { ColumnMap, NameColumn } from "./column-map.ts";
import { splitCsv, wrongCount } from "./csv.ts";
import type { DraftLine } from "./draft.ts";
import type { Notes } from "./notes.ts";
import type { RainColumn } from "./rain-column.ts";
import type { TableHeader } from "./table-header.ts";

/**
 * Reads lines by a column map.
 *
 * @param header of the file
 * @param options.source who reported them, where the map does not say
 * @param options.city of every line, whatever the map says; null where the map names it
 * @param options.notes takes what is to be said of the file
 * @returns reads a line; null for one that the map leaves out
 * @throws SourceError `bad_file` when the header lacks a column of the map or has it twice, or nothing names the city
 */
export function mapParser(
  header: TableHeader,
  map: ColumnMap,
  options: { source: string; city: string | null; notes: Notes },
): (line: string) => DraftLine["read"] | null {
  const { notes } = options;
  const at = columnFinder(header);
  const city = options.city === null ? map.city : { value: options.city };
  if (city === null) {
    throw new SourceError("bad_file", "Cannot use the column map: it names no city", {
      hint: 'Add "city" to the map, or name one with --city or --station.',
    });
  }
  const cityOf = nameReader(city, at);
  const sourceOf = nameReader(map.source ?? { value: options.source }, at);
  const timesAt = map.time.columns.map(at);
  const isRead = lineChoice(map, at);
  const fieldsOf = map.long === null ? wideFields(header, map, at) : longFields(map, map.long, at);
  return (line) => {
    if (map.comments.some((comment) => line.startsWith(comment))) return null;
    const fields = splitCsv(line, map.delimiter);
    if (fields === null || (!map.isRagged && fields.length !== header.columns.length))
      return wrongCount(fields, header.columns);
    const text: TextAt = (index) => (fields[index] ?? "").trim();
    if (!isRead(text)) return null;
    const read = fieldsOf(text);
    if (read === null) return null;
    const name = cityOf(text);
    const clock = timesAt.map(text).join(" ");
    const times = map.time.read(clock);
    if (times.length === 0)
      return { ok: false, reason: `time is ${describe(clock)}, wanted it as the map's format has it` };
    const record: Record<string, unknown> = { city: name, source: sourceOf(text) };
    for (const { column, index } of read.texts)
      if (text(index) !== "" && !map.missing.includes(text(index)))
        record[column.field] = column.names.get(text(index)) ?? text(index);
    for (const { column, index } of read.numbers) {
      const value = column.read(text(index));
      if (value === "trace") notes.add(`a trace of ${column.field} counts as 0`, `${clock} ${name}`);
      if (value === null) continue;
      record[column.field] =
        value === "trace" ? 0 : typeof value === "number" ? column.convert(value) : value.other;
    }
    const rain = read.numbers.find(({ column }) => column.rain !== null)?.column.rain ?? null;
    if (rain === null || rain.amount === "hour") return { times, clock, series: name, record };
    return { times, clock, series: name, record, rain: record.rainfall ?? null };
  };
}

/** What the column of rain is that a file has; null where it has none. */
export function rainOf({ columns }: TableHeader, { numbers, long }: ColumnMap): RainColumn | null {
  const column = numbers.find((one) => one.rain !== null && (long !== null || columns.includes(one.column)));
  return column?.rain ?? null;
}

type TextAt = (index: number) => string;
type ColumnAt = (name: string) => number;

/** Columns to read, with their numbers. */
interface LineFields {
  numbers: readonly { column: NumberColumn; index: number }[];
  texts: readonly { column: TextColumn; index: number }[];
}

function columnFinder({ columns, text, line }: TableHeader): ColumnAt {
  return (name) => {
    const index = columns.indexOf(name);
    const again = columns.indexOf(name, index + 1);
    if (index !== -1 && again !== -1) {
      throw new SourceError(
        "bad_file",
        `Cannot use the column map: the file has two columns ${describe(name)}, number ${index + 1} and number ${again + 1}`,
        {
          hint: "Give each a name of its own in the file's header: which one is meant is not to be guessed.",
        },
      );
    }
    if (index !== -1) return index;
    const where = line === 1 ? "its first line is" : line === 0 ? "the map names" : `its line ${line} is`;
    throw new SourceError(
      "bad_file",
      `Cannot use the column map: the file has no column ${describe(name)}, ${where} ${describe(text)}`,
    );
  };
}

function nameReader(name: NameColumn, at: ColumnAt): (text: TextAt) => string {
  if ("value" in name) return () => name.value;
  const index = at(name.column);
  return (text) => name.names.get(text(index)) ?? text(index);
}

/** Tells the lines that `only` and `except` let through. */
function lineChoice(map: ColumnMap, at: ColumnAt): (text: TextAt) => boolean {
  const rules = [
    ...[...map.only].map(([column, texts]) => ({ index: at(column), texts, wanted: true })),
    ...[...map.except].map(([column, texts]) => ({ index: at(column), texts, wanted: false })),
  ];
  return (text) => rules.every(({ index, texts, wanted }) => texts.includes(text(index)) === wanted);
}

/** The fields of a file with a column for each: they are the same in every line. */
function wideFields(header: TableHeader, map: ColumnMap, at: ColumnAt): () => LineFields {
  const present = <T extends { field: string; column: string }>(columns: readonly T[]) => {
    const found: { column: T; index: number }[] = [];
    for (const field of new Set(columns.map((one) => one.field))) {
      const named = columns.filter((one) => one.field === field);
      const [column, other] = named.filter((one) => header.columns.includes(one.column));
      if (other !== undefined) {
        throw new SourceError(
          "bad_file",
          `Cannot use the column map: the file has ${describe(column!.column)} and ${describe(other.column)}, and both may be the ${field}`,
          {
            hint: "Name one of them in a map of your own (docs/import.md): which one is meant is not to be guessed.",
          },
        );
      }
      if (column !== undefined) found.push({ column, index: at(column.column) });
      else if (!map.isPartial) at(named[0]!.column);
    }
    return found;
  };
  const fields = { numbers: present(map.numbers), texts: present(map.texts) };
  const first = map.numbers[0] ?? map.texts[0];
  if (fields.numbers.length + fields.texts.length === 0) at(first!.column);
  return () => fields;
}

/** The field of a line that holds one value; null where it is none of the map's, or not reported. */
function longFields(
  map: ColumnMap,
  long: { name: string; value: string },
  at: ColumnAt,
): (text: TextAt) => LineFields | null {
  const [nameAt, index] = [at(long.name), at(long.value)];
  return (text) => {
    const name = text(nameAt);
    const numbers = map.numbers.filter(({ column }) => column === name).map((column) => ({ column, index }));
    const texts = map.texts.filter(({ column }) => column === name).map((column) => ({ column, index }));
    const isReported =
      numbers.some(({ column }) => column.read(text(index)) !== null) ||
      texts.some(() => text(index) !== "" && !map.missing.includes(text(index)));
    return isReported ? { numbers, texts } : null;
  };
}
