import { SourceError } from "../../core/errors.ts";
import { describe } from "../../core/observation.ts";
import type { ColumnMap } from "./column-map.ts";
import { splitCsv } from "./csv.ts";
import { type LineReader, mapReader, type ReadWatcher } from "./line-reader.ts";
import { mapParser, rainOf } from "./map-parser.ts";
import type { Notes } from "./notes.ts";
import { findHeader, HEAD_LINES, nearestHeader, type TableHeader } from "./table-header.ts";

/** Names of what was measured that a message has. */
const NAMES_TOLD = 8;

/**
 * Reads the lines of a file by a column map: finds the header, and reads what is behind it.
 *
 * @param options as of {@link mapParser}; `see` looks at the header; `counts.left_out` counts the lines that the map leaves out
 * @returns a reader that throws SourceError `bad_file` when there is no header among the first lines that has what the map
 *   asks for, or, of a file with a line for each value, when none of them is one of the map's
 */
export function tableReader(
  map: ColumnMap,
  options: {
    source: string;
    city: string | null;
    see?: ReadWatcher | undefined;
    notes: Notes;
    counts: { left_out: number };
  },
): LineReader {
  const { counts, notes } = options;
  let head: string[] = [];
  let reader: LineReader | null = null;
  const names = map.long === null ? null : new LongNames(map);
  const begin = (header: TableHeader): LineReader => {
    names?.begin(header);
    options.see?.header(header.columns);
    const parse = mapParser(header, map, options);
    const counted = (line: string) => {
      names?.see(line);
      const read = parse(line);
      if (read === null) counts.left_out++;
      return read;
    };
    return mapReader(counted, rainOf(header, map), notes);
  };
  return {
    read: (lines) => {
      if (reader !== null) return reader.read(lines);
      head.push(...lines);
      const header = findHeader(head, map) ?? (head.length < HEAD_LINES ? null : nearestHeader(head, map));
      if (header === null) return [];
      reader = begin(header);
      const data = head.slice(header.size);
      head = [];
      return reader.read(data);
    },
    end: () => {
      reader ??= begin(nearestHeader(head, map));
      names?.check();
      return reader.end();
    },
  };
}

/** Says what there is in a file with a line for each value, of which the map knows none. */
class LongNames {
  readonly #map: ColumnMap;
  readonly #seen = new Set<string>();
  #isKnown = false;
  #index = -1;

  constructor(map: ColumnMap) {
    this.#map = map;
  }

  begin({ columns }: TableHeader): void {
    this.#index = columns.indexOf(this.#map.long?.name ?? "");
  }

  see(line: string): void {
    if (this.#isKnown) return;
    const name = splitCsv(line, this.#map.delimiter)?.[this.#index]?.trim() ?? "";
    this.#isKnown = [...this.#map.numbers, ...this.#map.texts].some(({ column }) => column === name);
    if (this.#seen.size < NAMES_TOLD && name !== "") this.#seen.add(name);
  }

  check(): void {
    if (this.#isKnown) return;
    throw new SourceError(
      "bad_file",
      `Cannot use the column map: none of its columns is in the file, which has ${describe([...this.#seen])}`,
      { hint: "Name those that are meant in a map of your own: docs/import.md describes it." },
    );
  }
}
