import { sha256Hex } from "./checksum.ts";

/** Latin letters that Unicode does not decompose into an ASCII letter and a mark. */
const LATIN: Readonly<Record<string, string>> = {
  ß: "ss",
  æ: "ae",
  œ: "oe",
  ø: "o",
  ł: "l",
  đ: "d",
  ð: "d",
  þ: "th",
  ı: "i",
  ħ: "h",
  ŧ: "t",
  ŋ: "ng",
  ə: "e",
};
const LATIN_LETTERS = new RegExp(`[${Object.keys(LATIN).join("")}]`, "g");

/** A text in lower-case ASCII letters, digits and single hyphens. */
export interface PlainText {
  text: string;
  /** False where letters or digits of another script are left out of it. */
  isWhole: boolean;
}

/** Writes a text in ASCII: `Łódź` becomes `lodz`, `Saint-Denis` and `Saint Denis` become `saint-denis`. */
export function plainText(text: string): PlainText {
  const letters = text
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(LATIN_LETTERS, (letter) => LATIN[letter]!);
  return {
    text: letters.replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, ""),
    isWhole: !/(?![a-z0-9])[\p{L}\p{N}]/u.test(letters),
  };
}

/** Longest part of a slug before its checksum, characters. */
const PLAIN_MAX = 80;
/** Words that are written small inside a name. The list never changes: slugs would. */
const SMALL = new Set("am an da de del der di do dos du im la le les of on sur the upon y".split(" "));

/**
 * The slug of a city, for URLs: lower-case ASCII letters, digits and hyphens. It follows from the name alone, so it never
 * changes and no other city takes it. A name of plain words, such as `Rio de Janeiro`, becomes `rio-de-janeiro`. Of any other
 * spelling something is lost in ASCII, so a checksum of the name follows two hyphens: `Saint-Denis` becomes
 * `saint-denis--` and 12 hex digits, `東京` becomes `city--` and its 12. Two different names have one slug only where their
 * plain texts and 48 bits of SHA-256 are equal.
 */
export function slugOf(name: string): string {
  const { text } = plainText(name);
  if (isOfPlainWords(name) && text.length <= PLAIN_MAX) return text;
  return withChecksum(text.slice(0, PLAIN_MAX) || "city", name);
}

/** A plain text that tells which text it was made of. */
export function withChecksum(plain: string, text: string): string {
  return `${plain}--${sha256Hex(text).slice(0, 12)}`;
}

/** Whether a name is the one spelling that its plain text stands for: only such a name can be read back from it. */
function isOfPlainWords(name: string): boolean {
  return name
    .split(" ")
    .every((word, i) =>
      i > 0 && SMALL.has(word.toLowerCase()) ? SMALL.has(word) : /^[A-Z0-9][a-z0-9]*$/.test(word),
    );
}
