import type { City } from "../../core/city.ts";
import type { Clock } from "../../core/clock.ts";
import type { Settings, SettingValues } from "../../core/setting.ts";
import type { NewRecord } from "../log/log.ts";
import type { Fetch } from "./http.ts";

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
  /**
   * Asks once, for a few seconds at most: null when it answers, else why it does not. Left out where there is nobody to
   * ask, and where asking would cost calls of an account.
   */
  probe?(signal: AbortSignal): Promise<string | null>;
}

/** What a source is opened with, beside its settings. */
export interface SourceDeps {
  cities: readonly City[];
  clock: Clock;
  /** Default: the built-in one. */
  fetch?: Fetch | undefined;
  /** A number in [0, 1), for the jitter of waits. */
  random?: (() => number) | undefined;
}

/** A source as the rest of the program sees it. `sources.ts` lists all there are. */
export interface SourceEntry<S extends Settings = Settings> {
  /** As `WEATHER_SOURCE` has it, and the observations' `source` field. */
  readonly name: string;
  /** As it stands within a sentence: "OpenWeatherMap", "the simulator". */
  readonly title: string;
  /** Under which terms its data may be used: the licence's name, where it stands (null: none is needed), and what it asks for. */
  readonly licence: { readonly name: string; readonly url: string | null; readonly note: string };
  /** Its own settings. */
  readonly settings: S;
  /** Which of them holds the key of an account, where it gives nothing without one. */
  readonly key?: string;
  /**
   * Where `WEATHER_SOURCE=auto` may take it, which it does when the key is set and a probe is answered: the source and this
   * condition, for the documentation. Without it, it is taken by its name only.
   */
  readonly auto?: string;
  /** What more there is to say of its choice, such as how many of the cities it has. */
  note?(cities: readonly City[]): string;
  /** @throws ConfigError when settings or cities lack what it needs */
  open(settings: SettingValues<S>, deps: SourceDeps): Source;
}

/** Lets TypeScript find the types of an entry. */
export const sourceEntry = <const S extends Settings>(
  entry: SourceEntry<S> & { readonly key?: keyof S },
): SourceEntry<S> => entry;
