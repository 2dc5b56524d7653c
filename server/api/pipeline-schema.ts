import { integer, list, nullable, number, object, oneOf, text, time } from "./schema.ts";

const RATE = nullable(
  object({
    per_second: number("Records a second"),
    seconds: integer("Over how many seconds it was measured, up to 300"),
  }),
);

/** What `/api/v1/pipeline` and the event `status` say, without a label. */
export const PIPELINE = {
  stages: list(
    object({
      name: oneOf(["source", "log", "lake", "result", "screen"], "The stage"),
      by: text("What implements it"),
      watermark: nullable(time("The newest observation time it has seen")),
      behind: nullable(integer("Records it has still to do; null where that has no meaning or is not known")),
      trouble: nullable(text("Why it cannot be used now; null while it can")),
    }),
    "From source to screen",
  ),
  jobs: list(
    object({
      name: text("Name of the background job"),
      state: oneOf(["starting", "running", "waiting", "failed", "stopped"], "How it stands"),
      since: time("Since when"),
      restarts: integer("How often it was run again"),
      reason: nullable(text("Why it waits or failed")),
    }),
    "Background jobs of this process",
  ),
  partitions: list(
    object({
      partition: integer("Number of the partition"),
      low: nullable(integer("First offset in the log; null while the log is away")),
      high: nullable(integer("Offset that the next record gets; null while the log is away")),
      next: integer("First offset that is not committed"),
      sequence: integer("Newest commit"),
      rows: integer("Rows committed"),
      duplicates: integer("Records that were there already"),
      rejected: integer("Records that are no observations"),
      files: integer("Files of rows"),
      bytes: integer("Size of these files, bytes"),
    }),
    "Partitions of the log, and what is committed of each",
  ),
  rates: object(
    { log: RATE, lake: RATE },
    { description: "Records that the log takes, and that are committed; null until known" },
  ),
  proof: nullable(
    object(
      {
        at: time("When it was begun"),
        offsets: integer("Offsets accounted for: rows + duplicates + rejected"),
        compared: integer("Records the log still had, each of them compared with the lake"),
        problems: integer("What is wrong; 0 when log and lake are equal"),
      },
      { description: "What the newest `verify` found; null before the first" },
    ),
  ),
  live: object({
    clients: integer("Connected clients of `/live`"),
    dropped: integer("Clients dropped because they did not read"),
  }),
} as const;
