import type { City } from "../../core/city.ts";
import type { Settings, SettingValues } from "../../core/setting.ts";
import type { Poll, Source, SourceDeps } from "./source.ts";

/** Hourly weather of the past. */
export interface Archive {
  /**
   * Fetches whole UTC days of some places, in the order of time. Hours that the archive does not have yet are left out.
   *
   * @param places at most {@link ArchiveEntry.callPlaces}
   * @param from first day's beginning, ms since the epoch
   * @param to the end of the last day, exclusive, ms since the epoch; at most {@link ArchiveEntry.callDays} days later
   * @throws SourceError when nothing can be had
   */
  fetch(places: readonly City[], from: number, to: number, signal: AbortSignal): Promise<Poll>;
}

/** An archive as the rest of the program sees it. `sources.ts` says which one there is. */
export interface ArchiveEntry<S extends Settings = Settings> {
  /** As the observations' `source` field has it. */
  readonly name: string;
  /** As a sentence has it. */
  readonly title: string;
  /** The credit its licence asks to be shown. */
  readonly credit: NonNullable<Source["credit"]>;
  /** Its own settings. */
  readonly settings: S;
  /** Most days of one call. */
  readonly callDays: number;
  /** Most places of one call. */
  readonly callPlaces: number;
  open(settings: SettingValues<S>, deps: Omit<SourceDeps, "cities">): Archive;
}

/** Lets TypeScript find the types of an entry. */
export const archiveEntry = <const S extends Settings>(entry: ArchiveEntry<S>): ArchiveEntry<S> => entry;
