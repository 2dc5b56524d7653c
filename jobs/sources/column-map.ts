import { describe } from "../../core/observation.ts";
import { codeOf, messageOf, SourceError } from "../../core/errors.ts";
import {
  namesOf,
  type NumberColumn,
  parseFields,
  refuseUnknown,
  type TextColumn,
  textsOf,
} from "./column-fields.ts";
import { type Encoding, ENCODINGS } from "./encoding.ts";
import { type TimeReader, timeReader, type ZoneClock, zoneClock } from "./local-time.ts";
import { objectOf } from "./record.ts";

/** A column that names something, and what its texts mean where that is another name; or the name of every line. */
export type NameColumn = { column: string; names: ReadonlyMap<string, string> } | { value: string };

/** How the columns of a CSV file become observations. */
export interface ColumnMap {
  /** How its bytes are text; null: UTF-8, unless the file begins with the mark of UTF-16. */
  encoding: Encoding | null;
  /** One character between two fields. */
  delimiter: string;
  /** Names of the columns of a file without a header; null where it has one. */
  columns: readonly string[] | null;
  /** Lines that the header takes: the names of a column in them are joined by a space. */
  headerLines: number;
  /** Beginnings of lines that hold no observation. */
  comments: readonly string[];
  /** Whether a line may have more or fewer fields at its end than there are columns. */
  isRagged: boolean;
  /** Columns and their texts in the lines that are read; the others are left out. */
  only: ReadonlyMap<string, readonly string[]>;
  /** Columns and their texts in the lines that are left out. */
  except: ReadonlyMap<string, readonly string[]>;
  /** Of a file with a line for each value: the column that names what was measured, and that of the value. */
  long: { name: string; value: string } | null;
  /** Texts that mean "not reported" in any column, beside the empty one. */
  missing: readonly string[];
  /** Columns whose texts, joined by a space, are the time. */
  time: { columns: readonly string[]; read: TimeReader; clock: ZoneClock | null };
  city: NameColumn | null;
  /** Who reported them; null where the caller says it. */
  source: NameColumn | null;
  /** Whether the file may lack fields, all but one. */
  isPartial: boolean;
  /** Measured fields; in the long form their columns are names of what was measured. */
  numbers: readonly NumberColumn[];
  /** Fields of text. */
  texts: readonly TextColumn[];
}

const KEYS = (
  "delimiter decimal missing time city source fields thousands encoding columns header_lines comments ragged only except " +
  "long partial"
).split(" ");

/**
 * Reads a column map.
 *
 * @param input parsed JSON; docs/import.md describes it
 * @throws {TypeError} naming the part, its value and what was wanted
 */
export function parseColumnMap(input: unknown): ColumnMap {
  const map = objectOf(input);
  if (map === undefined) throw new TypeError(`the map is ${describe(input)}, wanted an object`);
  refuseUnknown(map, KEYS, "the map");
  const { delimiter = ",", decimal = ".", thousands = null, missing = [], encoding = null } = map;
  if (typeof delimiter !== "string" || delimiter.length !== 1 || delimiter === '"') {
    throw new TypeError(`delimiter is ${describe(delimiter)}, wanted one character such as ; or a tab`);
  }
  if ((decimal !== "." && decimal !== ",") || decimal === delimiter) {
    throw new TypeError(`decimal is ${describe(decimal)}, wanted . or , and another one than the delimiter`);
  }
  if (
    thousands !== null &&
    (typeof thousands !== "string" || !/^[., ']$/.test(thousands) || thousands === decimal)
  ) {
    throw new TypeError(
      `thousands is ${describe(thousands)}, wanted one of . , ' or a blank, and not the decimal`,
    );
  }
  if (encoding !== null && !ENCODINGS.some((name) => name === encoding)) {
    throw new TypeError(`encoding is ${describe(encoding)}, wanted one of ${ENCODINGS.join(", ")}`);
  }
  const { columns = null, header_lines: headerLines = 1, comments = [], long = null } = map;
  if (headerLines !== 1 && headerLines !== 2) {
    throw new TypeError(`header_lines is ${describe(headerLines)}, wanted 1 or 2`);
  }
  const { source = null } = map;
  if (source === "") throw new TypeError('source is "", wanted a name');
  const time = parseTime(map.time);
  const style = { decimal, thousands, missing: textsOf(missing, "missing") } as const;
  return {
    missing: style.missing,
    encoding: encoding as Encoding | null,
    delimiter,
    columns: columns === null ? null : textsOf(columns, "columns"),
    headerLines,
    comments: textsOf(comments, "comments"),
    isRagged: flagOf(map.ragged, "ragged"),
    only: choiceOf(map.only, "only"),
    except: choiceOf(map.except, "except"),
    long: long === null ? null : parseLong(long),
    time,
    city: map.city === undefined ? null : parseName(map.city, "city"),
    source:
      source === null ? null : typeof source === "string" ? { value: source } : parseName(source, "source"),
    isPartial: flagOf(map.partial, "partial"),
    ...parseFields(map.fields, style, time.clock),
  };
}

function parseTime(input: unknown): ColumnMap["time"] {
  const { column, format, zone = null, ...others } = objectOf(input) ?? {};
  refuseUnknown(others, ["column", "format", "zone"], "time");
  const columns = textsOf(typeof column === "string" ? [column] : column, "time.column");
  const formats = typeof format === "string" ? [format] : (format ?? []);
  if (
    columns.length === 0 ||
    !Array.isArray(formats) ||
    formats.length === 0 ||
    !formats.every((one) => typeof one === "string") ||
    (zone !== null && typeof zone !== "string")
  ) {
    throw new TypeError(
      `time is ${describe(input)}, wanted { "column": "…", "format": "YYYY-MM-DD HH:mm:ss", "zone": "UTC" }`,
    );
  }
  try {
    const readers = formats.map((one) => timeReader(one, zone));
    const read: TimeReader = (text) => {
      for (const reader of readers) {
        const times = reader(text);
        if (times.length > 0) return times;
      }
      return [];
    };
    return { columns, read, clock: zone === null ? null : zoneClock(zone) };
  } catch (error) {
    throw new TypeError(`time: ${messageOf(error)}`, { cause: error });
  }
}

function parseName(input: unknown, what: "city" | "source"): NameColumn {
  const name = objectOf(input);
  if (typeof name?.value === "string" && Object.keys(name).length === 1) return { value: name.value };
  const { column, names = {}, ...others } = name ?? {};
  try {
    if (typeof column === "string" && Object.keys(others).length === 0)
      return { column, names: namesOf(names, what) };
  } catch {
    // Said below with what the whole is.
  }
  throw new TypeError(
    `${what} is ${describe(input)}, wanted { "column": "…", "names": { "EWR": "Newark" } } or { "value": "…" }`,
  );
}

function parseLong(input: unknown): { name: string; value: string } {
  const { name, value, ...others } = objectOf(input) ?? {};
  if (typeof name === "string" && typeof value === "string" && Object.keys(others).length === 0)
    return { name, value };
  throw new TypeError(
    `long is ${describe(input)}, wanted { "name": "column that says what it is", "value": "column of the value" }`,
  );
}

/** Columns and texts of theirs. */
function choiceOf(input: unknown, what: string): ReadonlyMap<string, readonly string[]> {
  const choice = input === undefined ? {} : objectOf(input);
  if (choice === undefined) {
    throw new TypeError(`${what} is ${describe(input)}, wanted { "column": ["text", …] }`);
  }
  return new Map(
    Object.entries(choice).map(([column, texts]) => [column, textsOf(texts, `${what}.${column}`)]),
  );
}

function flagOf(input: unknown, what: string): boolean {
  if (input === undefined || typeof input === "boolean") return input ?? false;
  throw new TypeError(`${what} is ${describe(input)}, wanted true or false`);
}

/** Reads the file of a column map. @throws SourceError `bad_file` */
export async function readColumnMap(path: string): Promise<ColumnMap> {
  try {
    return parseColumnMap(JSON.parse(await Bun.file(path).text()));
  } catch (cause) {
    const why =
      cause instanceof SyntaxError
        ? "it is no JSON"
        : codeOf(cause) === "ENOENT"
          ? "there is no such file"
          : messageOf(cause);
    throw new SourceError("bad_file", `Cannot use the column map ${path}: ${why}`, {
      cause,
      hint: "docs/import.md describes it.",
    });
  }
}
