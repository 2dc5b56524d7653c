import { type Parsed, parseObservation } from "../../core/observation.ts";
import { formatTimestamp } from "../../core/time.ts";

/**
 * What a line of a file says by itself. When it was may need the lines around it: {@link RepeatedHours} settles that.
 */
export interface Draft {
  /** What its time may mean, ms since the epoch, the earlier one first; once it is settled, the one that is meant. */
  times: readonly number[];
  /** Lines of one series follow one another in time, forwards or backwards: those of a city. */
  series: string;
  /** The record's fields but for the timestamp. */
  record: Record<string, unknown>;
}

/** A line on its way through the stages of reading: what it says so far, or why it is no observation. */
export interface DraftLine {
  line: string;
  read: Draft | (Parsed & { ok: false });
}

/** Whether a line still is to become an observation. */
export function isDraft(read: DraftLine["read"]): read is Draft {
  return !("ok" in read);
}

/** The observation of a draft whose time is settled. The future is measured where the log takes the record. */
export function finished({ times, record }: Draft): Parsed {
  return parseObservation({ timestamp: formatTimestamp(times[0]!), ...record }, Infinity);
}
