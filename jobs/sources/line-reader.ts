import type { Parsed } from "../../core/observation.ts";
import type { LineParser } from "./csv.ts";
import { type DraftLine, finished, isDraft } from "./draft.ts";
import { RepeatedHours } from "./repeated-hours.ts";

/** A line, and the observation that became of it, or why it is none. */
export interface ReadLine {
  line: string;
  parsed: Parsed;
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

/** Reads the lines of a column map, whose times may need the lines around them. */
export function mapReader(parse: (line: string) => DraftLine["read"]): LineReader {
  const hours = new RepeatedHours();
  const finish = ({ line, read }: DraftLine): ReadLine => ({
    line,
    parsed: isDraft(read) ? finished(read) : read,
  });
  return {
    read: (lines) => lines.flatMap((line) => hours.push({ line, read: parse(line) })).map(finish),
    end: () => hours.end().map(finish),
  };
}
