import type { NewRecord } from "../log/log.ts";

/** What a poll brought: records for the log, and what failed. */
export interface Poll {
  /** Records in the order they are to be appended. Their value is the nine-field JSON object of an observation. */
  records: NewRecord[];
  /** Cities that failed, each with its error: the others are not held up. */
  failures: { city: string; error: Error }[];
}

/** A weather source that is polled. */
export interface Source {
  /** As it stands in the observations' `source` field. */
  readonly name: string;
  /** What its data is: real observations, or simulated ones. Simulated data gets a data set of its own. */
  readonly kind: "observed" | "simulated";
  /** Seconds between polls where `POLL_SECONDS` is not set. */
  readonly pollSeconds: number;
  /** Seconds between two reports of a place, where that is longer than between two polls. */
  readonly reportSeconds?: number;
  /** The credit its licence asks to be shown, or null. */
  readonly credit: { text: string; url: string } | null;
  /**
   * Fetches the newest observation of every city.
   *
   * @throws SourceError only when nothing can be had for any city
   */
  poll(signal: AbortSignal): Promise<Poll>;
  /**
   * The past `hours` hours, oldest first, so that the first picture is a line and not a dot; nothing where the source has
   * no past to give.
   */
  history(hours: number, signal: AbortSignal): Promise<Poll>;
}
