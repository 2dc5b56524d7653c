/** A number in plain digits, perhaps with an exponent. */
export const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

/** How the numbers of a column are written. */
export interface NumberStyle {
  /** Between the whole and the fraction. */
  decimal: "." | ",";
  /** Between groups of three digits; null where there is none. */
  thousands: string | null;
  /** Texts that mean "not reported", beside the empty one; a number also stands for its other spellings: -999 for -999.0. */
  missing: readonly string[];
  /** Texts that mean "some, but too little to measure": they are 0. */
  trace: readonly string[];
  /** Texts that mean a number. */
  words: Readonly<Record<string, number>>;
  /** The whole text, with the number as its first group: `/^([0-9.]+) °C$/`. A text that matches without the group means "not reported". */
  match: RegExp | null;
}

/** What a text says: a number, "not reported" (null), too little to measure, or no number (the text itself). */
export type NumberRead = number | null | "trace" | { other: string };

/** Makes a reader of a column's texts. */
export function numberReader(style: NumberStyle): (text: string) => NumberRead {
  const missing = new Set(["", ...style.missing]);
  const missingNumbers = new Set(style.missing.filter((text) => NUMBER.test(text)).map(Number));
  const trace = new Set(style.trace);
  const words = new Map(Object.entries(style.words));
  const plain = plainDigits(style);
  return (whole) => {
    if (missing.has(whole)) return null;
    if (trace.has(whole)) return "trace";
    const match = style.match === null ? [whole, whole] : style.match.exec(whole);
    if (match === null) return { other: whole };
    const text = match[1]?.trim() ?? "";
    if (missing.has(text)) return null;
    if (trace.has(text)) return "trace";
    const word = words.get(text);
    if (word !== undefined) return word;
    const digits = plain(text);
    if (!NUMBER.test(digits)) return { other: whole };
    const number = Number(digits);
    return missingNumbers.has(number) ? null : number;
  };
}

/**
 * Writes a number with a decimal point and without groups. A point is no part of it where the decimal is a comma and the map
 * says nothing of groups: 9.500 may be 9.5 or 9500.
 */
function plainDigits({ decimal, thousands }: NumberStyle): (text: string) => string {
  const mark = (one: string) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`;
  const groups =
    thousands === null
      ? null
      : new RegExp(`^[+-]?\\d{1,3}(?:${mark(thousands)}\\d{3})+(?:${mark(decimal)}\\d*)?$`);
  return (text) => {
    const whole = thousands !== null && groups!.test(text) ? text.replaceAll(thousands, "") : text;
    if (decimal === ".") return whole;
    return whole.includes(".") ? "" : whole.replace(",", ".");
  };
}
