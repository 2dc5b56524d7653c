import { DATASET_KINDS, type DatasetKind } from "../core/dataset-kind.ts";
import { codeOf, ConfigError } from "../core/errors.ts";
import type { Lake } from "./lake/lake.ts";

/** The note at the root of a data set that says what it is. */
export interface DatasetNote {
  format: 1;
  kind: DatasetKind;
  /** ISO 8601 UTC. */
  created_at: string;
}

const PATH = "dataset.json";

/** Reads the note of a data set; null if there is no data set yet. */
export async function readDataset(lake: Lake): Promise<DatasetNote | null> {
  let bytes: Uint8Array;
  try {
    bytes = await lake.read(PATH);
  } catch (error) {
    if (codeOf(error) === "missing") return null;
    throw error;
  }
  const note = parse(bytes);
  if (note?.format !== 1 || !DATASET_KINDS.some((kind) => kind === note.kind)) {
    throw new ConfigError("bad_setting", `Cannot read ${lake.locate(PATH)}: wanted format 1 and a kind`, {
      hint: "A newer program may have made this data set: use that program, or another DATASET.",
    });
  }
  return note as DatasetNote;
}

function parse(bytes: Uint8Array): Partial<DatasetNote> | null {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as Partial<DatasetNote> | null;
  } catch {
    return null; // handled below like any other invalid content
  }
}

/**
 * Makes sure that a data set is of the given kind. Writes the note if the data set is new.
 *
 * @param name of the data set, for messages
 * @throws ConfigError `bad_setting` when it holds data of another kind
 */
export async function claimDataset(
  lake: Lake,
  name: string,
  kind: DatasetKind,
  now: number,
): Promise<DatasetNote> {
  const fresh: DatasetNote = { format: 1, kind, created_at: new Date(now).toISOString() };
  try {
    const bytes = new TextEncoder().encode(`${JSON.stringify(fresh)}\n`);
    if ((await readDataset(lake)) === null) await lake.create(PATH, bytes);
  } catch (error) {
    if (codeOf(error) !== "exists" && codeOf(error) !== "unclear") throw error;
  }
  const note = await readDataset(lake);
  if (note?.kind !== kind) {
    throw new ConfigError(
      "bad_setting",
      `Cannot write ${kind} data into the data set "${name}": it holds ${note?.kind} data`,
      {
        hint: "Data sets never mix: set DATASET to another name.",
      },
    );
  }
  return note;
}
