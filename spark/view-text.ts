import { OPTIONAL_VARIABLES, VARIABLE_NAMES } from "../core/variables.ts";
import { OBSERVATION_COLUMNS } from "./engine.ts";

/**
 * What a view's text may repeat itself for. Some variables have tests of their own, which the text spells out; so it needs
 * those by themselves too of which there is an extreme alone.
 */
const LISTS: Readonly<Record<string, readonly string[]>> = {
  column: OBSERVATION_COLUMNS.map(([name]) => name),
  variable: VARIABLE_NAMES,
  optional: OPTIONAL_VARIABLES,
  // Dew point and gust are compared with others of their report.
  "gross alone": OPTIONAL_VARIABLES.filter((name) => name !== "dew_point" && name !== "wind_gust"),
};

/**
 * A view's text as engines read it: each `{{each variable: …}}` is repeated for every variable, `@` being its name; `optional`
 * is those beyond the contract, `gross alone` those of them with no other test, `column` every column of `observations`.
 *
 * @throws TypeError for a list of another name
 */
export function fillViewText(text: string): string {
  return text.replace(/\{\{each ([a-z ]+):(.*?)\}\}/gs, (_, list: string, part: string) => {
    const names = LISTS[list];
    if (names === undefined) {
      const known = Object.keys(LISTS).join(", ");
      throw new TypeError(`Cannot repeat a view's text for each ${list}, wanted one of ${known}`);
    }
    return names.map((name) => part.replaceAll("@", name)).join("");
  });
}
