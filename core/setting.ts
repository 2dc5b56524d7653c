/** How the text of a setting becomes its value. */
export interface Kind<T> {
  /** What is allowed, for people: stands in error messages and in the documentation. */
  readonly wanted: string;
  /**
   * Reads the text as it stands in the environment.
   *
   * @throws {TypeError} saying what was wanted, without the text itself
   */
  parse(text: string): T;
  /** The text as an error message may show it, where it can hold a secret. */
  show?(text: string): string;
}

/** One setting of the program. `T` is its value, `D` what it is when nobody set it. */
export interface Setting<T = unknown, D = unknown> {
  /** Environment variable. */
  readonly name: string;
  /** Allowed values. */
  readonly kind: Kind<T>;
  /** The value when the variable is not set. */
  readonly default: D;
  /** As it is written in `.env`: the default or, where {@link Setting.otherwise} is there, an example. */
  readonly written: string;
  /** What happens when it is not set, where no text could say the same. */
  readonly otherwise?: string;
  /** Unit of the value. */
  readonly unit?: string;
  /** What it is for: one sentence. */
  readonly meaning: string;
  /** Its value is never printed. */
  readonly secret?: true;
}

/** Settings by the names that the code has for them. */
export type Settings = Readonly<Record<string, Setting>>;

/** The values of some settings. */
export type SettingValues<S> = {
  readonly [K in keyof S]: S[K] extends Setting<infer T, infer D> ? T | Widen<D> : never;
};

/** The default is one of the kind's own values, or null where there is none. */
type Widen<D> = D extends null ? null : never;

/** Lets TypeScript find the types of one setting. */
export const setting = <T, const D extends NoInfer<T> | null>(line: Setting<T, D>): Setting<T, D> => line;

/** A kind that is told by a check: `undefined` means not allowed. */
export function kind<T>(wanted: string, read: (text: string) => T | undefined): Kind<T> {
  return {
    wanted,
    parse(text) {
      const value = read(text);
      if (value === undefined) throw new TypeError(`wanted ${wanted}`);
      return value;
    },
  };
}

/** A whole number in plain digits, `low` to `high`. */
export function wholeNumber(low: number, high: number): Kind<number> {
  return kind(`a whole number from ${low} to ${high}`, (text) =>
    inRange(/^(0|[1-9]\d{0,14})$/, text, low, high),
  );
}

/** A number in plain digits with up to three decimals, `low` to `high`. */
export function decimal(low: number, high: number): Kind<number> {
  return kind(`a number from ${low} to ${high}, such as 5 or 0.5`, (text) =>
    inRange(/^(0|[1-9]\d{0,14})(\.\d{1,3})?$/, text, low, high),
  );
}

/** One of `values`, exactly. */
export function choiceOf<const T extends string>(values: readonly T[]): Kind<T> {
  return kind(listed(values, "or"), (text) => values.find((value) => value === text));
}

/** One or more of `values` separated by commas; the result has them in the order of `values`. */
export function someOf<const T extends string>(values: readonly T[]): Kind<readonly T[]> {
  return kind(`one or more of ${listed(values, "and")}, separated by commas`, (text) => {
    const names = splitList(text);
    if (names.some((name) => !values.some((value) => value === name))) return undefined;
    return values.filter((value) => names.includes(value));
  });
}

/** Text that `pattern` matches as a whole. */
export function matching(pattern: RegExp, wanted: string): Kind<string> {
  return kind(wanted, (text) => (pattern.test(text) ? text : undefined));
}

/** The address of a service: http or https, without a password, a query or a fragment. The result has no `/` at its end. */
export const url: Kind<string> = {
  ...kind("an http or https URL without user name, query or fragment", (text) => {
    const parsed = /^https?:\/\/[^\s\\?#@]+$/.test(text) ? URL.parse(text) : null;
    return parsed === null ? undefined : parsed.href.replace(/\/+$/, "");
  }),
  // People paste whole requests here, key included.
  show: (text) => text.replace(/\/\/.*@/s, "//…@").replace(/([?#]).*/s, "$1…"),
};

/** The parts of a list separated by commas, without the spaces around them. */
export function splitList(text: string): string[] {
  return text.split(",").map((name) => name.trim());
}

function inRange(pattern: RegExp, text: string, low: number, high: number): number | undefined {
  const value = Number(text);
  return pattern.test(text) && value >= low && value <= high ? value : undefined;
}

function listed(values: readonly string[], word: "and" | "or"): string {
  if (values.length < 2) return values.join("");
  return `${values.slice(0, -1).join(", ")} ${word} ${values.at(-1)}`;
}
