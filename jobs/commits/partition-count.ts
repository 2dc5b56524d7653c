import { codeOf, CommitError } from "../../core/errors.ts";
import type { Lake } from "../lake/lake.ts";
import type { Log } from "../log/log.ts";

/** What `commits/<topic>/partitions.json` holds. */
interface PartitionsNote {
  format: 1;
  partitions: number;
}

/**
 * Makes sure that the number of partitions never changes for a lake. A city must stay in its partition, because duplicates
 * are found only within a partition, and another number would move the city. The first consumer of a topic writes the
 * number beside the chains. An older lake without this note takes the number from its chains.
 *
 * @throws CommitError `mismatch` for another number, `newer_format`, `damaged`
 * @throws LakeError when the lake is away
 */
export async function keepPartitionCount(
  lake: Lake,
  { topic, partitions }: Pick<Log, "topic" | "partitions">,
): Promise<void> {
  const path = `commits/${topic}/partitions.json`;
  const known = await readNote(lake, path);
  if (known === null) {
    const chains = (await lake.list(`commits/${topic}`)).filter(
      ({ name, folder }) => folder && /^\d+$/.test(name),
    );
    if (chains.every(({ name }) => Number(name) < partitions)) {
      const note: PartitionsNote = { format: 1, partitions };
      try {
        await lake.create(path, new TextEncoder().encode(`${JSON.stringify(note)}\n`));
        return;
      } catch (error) {
        if (codeOf(error) !== "exists" && codeOf(error) !== "unclear") throw error;
      }
      return keepPartitionCount(lake, { topic, partitions }); // another process was first, or ours succeeded and the answer was lost
    }
  }
  if (known === partitions) return;
  throw new CommitError(
    "mismatch",
    `Cannot fill the lake from the topic "${topic}" of ${partitions} partitions: it was begun with ${known ?? "more"}`,
    { hint: "Use the number it was begun with, or a new data set (DATASET) for another one." },
  );
}

async function readNote(lake: Lake, path: string): Promise<number | null> {
  let text: string;
  try {
    text = new TextDecoder().decode(await lake.read(path));
  } catch (error) {
    if (codeOf(error) === "missing") return null;
    throw error;
  }
  let note: Partial<PartitionsNote> | null = null;
  try {
    note = JSON.parse(text) as Partial<PartitionsNote> | null;
  } catch {
    // handled below like any other invalid content
  }
  if (typeof note?.format === "number" && note.format > 1) {
    throw new CommitError(
      "newer_format",
      `Cannot read ${lake.locate(path)}: its format is ${note.format}, wanted 1`,
    );
  }
  if (note?.format !== 1 || !Number.isSafeInteger(note.partitions) || note.partitions! < 1) {
    throw new CommitError(
      "damaged",
      `Cannot read ${lake.locate(path)}: wanted format 1 and a number of partitions`,
    );
  }
  return note.partitions!;
}
