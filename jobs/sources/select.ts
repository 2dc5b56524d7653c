import { ConfigError } from "../../core/errors.ts";
import { choiceOf, type Setting, setting, type Settings, type SettingValues } from "../../core/setting.ts";
import { capitalized } from "../../core/text.ts";
import type { Source, SourceDeps, SourceEntry } from "./source.ts";

/** The source chosen (null: none is polled), and why, in a sentence for the log and the page. */
export interface SourceChoice {
  source: Source | null;
  reason: string;
}

/** A list of sources. */
type Entries = readonly SourceEntry[];

/** The settings of all sources of a list together. */
type OwnSettings<L extends Entries> = Together<L[number]["settings"]>;
/** What has all that the members of a union have. */
type Together<U> = (U extends unknown ? (one: U) => void : never) extends (all: infer I) => void ? I : never;

/** The settings by which one of some sources is chosen and opened: `WEATHER_SOURCE`, and each source's own. */
export function sourceSettings<const L extends Entries>(
  sources: L,
): { weatherSource: Setting<string, "auto"> } & OwnSettings<L> {
  const offers = sources.flatMap(({ auto }) => auto ?? []);
  const weatherSource = setting({
    name: "WEATHER_SOURCE",
    kind: choiceOf<string>(["auto", ...sources.map(({ name }) => name), "none"]),
    default: "auto",
    written: "auto",
    meaning: `Where observations come from; \`auto\`: ${offers.join(", else ")}.`,
  });
  // The members of a list, one by one; only Object.assign() cannot tell TypeScript so.
  const own = Object.assign({}, ...sources.map(({ settings }) => settings)) as OwnSettings<L>;
  return Object.assign({ weatherSource }, own);
}

/** What the choice of a source depends on, beside the settings. */
export interface ChoiceDeps extends SourceDeps {
  /** Whether the data set of observed data holds something; asked only where it matters. */
  observedData: () => Promise<boolean>;
  signal: AbortSignal;
}

/**
 * Chooses the weather source, once, at the start: the one that `WEATHER_SOURCE` names or, for `auto`, the first of the list
 * that has its key and answers. Weather is not simulated where observed data lies already, so that the two never take
 * turns in what one looks at: the first source that may answer later is taken all the same.
 *
 * @throws ConfigError when the source that is named lacks its key, or cities that it knows
 */
export async function chooseSource(
  sources: Entries,
  settings: SettingValues<Settings> & { readonly weatherSource: string },
  deps: ChoiceDeps,
): Promise<SourceChoice> {
  const { weatherSource } = settings;
  if (weatherSource === "none") return { source: null, reason: "WEATHER_SOURCE is none: nothing is polled." };
  if (weatherSource === "auto") return firstThere(sources, settings, deps);
  const entry = sources.find(({ name }) => name === weatherSource);
  if (entry === undefined) throw new RangeError(`There is no source "${weatherSource}"`);
  const missing = missingKey(sources, settings);
  if (missing !== null) throw new ConfigError("bad_setting", missing);
  const source = entry.open(settings, deps);
  const note = entry.note?.(deps.cities);
  return {
    source,
    reason: `WEATHER_SOURCE asks for ${entry.title}${note === undefined ? "" : `: ${note}`}.`,
  };
}

/** What is wrong where `WEATHER_SOURCE` names a source whose key is not set, or null. */
export function missingKey(
  sources: Entries,
  settings: Partial<SettingValues<Settings>> & { readonly weatherSource?: string },
): string | null {
  const entry = sources.find(({ name }) => name === settings.weatherSource);
  const key = entry?.key;
  if (entry === undefined || key === undefined || settings[key] !== null) return null;
  return `${entry.settings[key]?.name} is not set: wanted a key, because WEATHER_SOURCE is ${entry.name}`;
}

/** Chooses for `auto`. */
async function firstThere(
  sources: Entries,
  settings: SettingValues<Settings>,
  deps: ChoiceDeps,
): Promise<SourceChoice> {
  /** Why those before were passed over. */
  const passed: string[] = [];
  let details = "";
  /** The first that does not answer now, but may later. */
  let silent: { source: Source; title: string } | null = null;
  for (const entry of sources.filter(({ auto }) => auto !== undefined)) {
    const { title, key } = entry;
    if (key !== undefined && settings[key] === null) {
      passed.push(`no ${title} key is set`);
      continue;
    }
    const source = entry.open(settings, deps);
    if (source.kind === "simulated") {
      if (silent === null || !(await deps.observedData()))
        return { source, reason: `${sentence(passed)}, so the weather is simulated.${details}` };
      return {
        source: silent.source,
        reason: `${capitalized(silent.title)} does not answer yet and is asked again, because observed data is here already.${details}`,
      };
    }
    const failure = (await source.probe?.(deps.signal)) ?? null;
    if (failure === null) {
      const taken = key === undefined ? `${title} answers` : `a key for ${title} is set`;
      return { source, reason: `${sentence([...passed, taken])}.` };
    }
    passed.push(`${title} does not answer`);
    details += ` ${failure}.`;
    silent ??= { source, title };
  }
  return { source: null, reason: `${sentence(passed)}: nothing is polled.${details}` };
}

function sentence(parts: readonly string[]): string {
  return capitalized(parts.join(", and "));
}
