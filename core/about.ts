import type { DatasetKind } from "./dataset-kind.ts";

/** Facts that are constant while the program runs. */
export interface About {
  version: string;
  dataset: string;
  /** Simulated data is labelled on every page and in every answer. */
  kind: DatasetKind;
  /** The source in use and why it was chosen; null if this process does not collect. */
  source: { name: string; reason: string; credit: { text: string; url: string } | null } | null;
  log: string;
  lake: string;
  engine: string;
  /** Age at which a value is stale, s: three times the expected interval. */
  staleAfterSeconds: number;
}

/** A setting as the pages show it. */
export interface ShownSetting {
  name: string;
  /** Its value as text, or null where it has none: {@link ShownSetting.otherwise} holds then. A secret's is never told. */
  value: string | null;
  /** What happens without a value. */
  otherwise: string;
  unit: string | null;
  meaning: string;
}

/** A server that this process works with and that has pages of its own. */
export interface ServerLink {
  name: string;
  href: string;
}
