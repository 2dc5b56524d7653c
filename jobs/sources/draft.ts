import { type Parsed, parseObservation } from "../../core/observation.ts";
import { formatTimestamp } from "../../core/time.ts";

/**
 * What a line of a file says by itself. When it was and how much it rained in the hour before may need the lines around it:
 * {@link RepeatedHours} and {@link RainHours} settle that.
 */
export interface Draft {
  /** What its time may mean, ms since the epoch, the earlier one first; once it is settled, the one that is meant. */
  times: readonly number[];
  /** Its time as it stands in the file. */
  clock: string;
  /** Lines of one series follow one another in time, forwards or backwards: those of a city. */
  series: string;
  /** The record's fields but for the timestamp. */
  record: Record<string, unknown>;
  /** The amount in the column of rain where it need not be that of an hour, mm; text where it is no number, null where it is missing. */
  rain?: unknown;
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
