import type { Parsed } from "../../core/observation.ts";
import type { LineParser } from "./csv.ts";
import { type DraftLine, finished, isDraft } from "./draft.ts";
import type { Notes } from "./notes.ts";
import { type RainColumn, RainHours } from "./rain-column.ts";
import { RepeatedHours } from "./repeated-hours.ts";

/** A line, and the observation that became of it, or why it is none. */
export interface ReadLine {
  line: string;
  parsed: Parsed;
  /** Its time as it stands in the file, where a column map says which that is. */
  clock?: string;
}

/** Looks at what is read of a file. */
export interface ReadWatcher {
  /** Looks at the columns of a file that is read by a column map. */
  header: (columns: readonly string[]) => void;
  /** Looks at a line that becomes a record. */
  line: (read: ReadLine) => void;
}

/** Reads the lines of a file in their order. A line may wait for later ones. */
export interface LineReader {
  /** Takes the next lines, and returns those that are understood. */
  read: (lines: readonly string[]) => ReadLine[];
  /** Returns the lines that are left: the file has ended. */
  end: () => ReadLine[];
}

/** Reads lines each of which is understood by itself. */
export function plainReader(parse: LineParser): LineReader {
  return { read: (lines) => lines.map((line) => ({ line, parsed: parse(line) })), end: () => [] };
}

/**
 * Reads the lines of a column map, whose times and rain may need the lines around them.
 *
 * @param parse what a line says by itself; null for one that is left out
 * @param rain what the column of rain is; null where there is none
 * @param notes what is to be said of the file
 */
export function mapReader(
  parse: (line: string) => DraftLine["read"] | null,
  rain: RainColumn | null,
  notes: Notes,
): LineReader {
  const times = new RepeatedHours();
  const hours = rain === null ? null : new RainHours(rain, notes);
  const finish = ({ line, read }: DraftLine): ReadLine =>
    isDraft(read) ? { line, parsed: finished(read), clock: read.clock } : { line, parsed: read };
  const push = (line: DraftLine) => hours?.push(line) ?? [line];
  return {
    read: (lines) =>
      lines
        .flatMap((line) => {
          const read = parse(line);
          return read === null ? [] : times.push({ line, read });
        })
        .flatMap(push)
        .map(finish),
    end: () => [...times.end().flatMap(push), ...(hours?.end() ?? [])].map(finish),
  };
}
