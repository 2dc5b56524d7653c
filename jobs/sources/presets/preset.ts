/** A format of files that people have: a column map by a name. */
export interface Preset {
  /** What `--format` calls it. */
  name: string;
  /** Whose files these are, and what the map takes for granted. */
  title: string;
  /** Columns that tell the format, beside those that the map must have. */
  head: readonly string[];
  /** The map as docs/import.md describes it; `time.zone` is null where the file does not say by which clock its times are. */
  map: Record<string, unknown> & {
    time: { column: string | string[]; format: string | string[]; zone?: string | null };
  };
}

/** A measured column of a preset. */
export interface PresetColumn {
  column: string;
  unit: string;
  [part: string]: unknown;
}

/**
 * Columns of which a file has one, by their units: the name of each is `names` with the file's word for the unit.
 *
 * @param names with `*` where the unit stands
 * @param units the file's words, and the units they mean
 * @param parts what is said of each of them besides
 */
export function inUnits(
  names: readonly string[],
  units: Readonly<Record<string, string>>,
  parts: Record<string, unknown> = {},
): PresetColumn[] {
  return names.flatMap((name) =>
    Object.entries(units).map(([word, unit]) => ({ column: name.replace("*", word), unit, ...parts })),
  );
}
