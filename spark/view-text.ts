import { JUDGED_VARIABLES, OPTIONAL_VARIABLES, type Variable } from "../core/variables.ts";
import { OBSERVATION_COLUMNS } from "./engine.ts";

/**
 * What a view's text may repeat itself for. The variables of the contract have tests of their own, which the text spells
 * out; so it needs those beyond them by themselves too.
 */
const LISTS: Readonly<Record<string, readonly string[]>> = {
  column: OBSERVATION_COLUMNS.map(([name]) => name),
  judged: JUDGED_VARIABLES,
  "judged optional": JUDGED_VARIABLES.filter((name: Variable) =>
    (OPTIONAL_VARIABLES as readonly Variable[]).includes(name),
  ),
};

/**
 * A view's text as engines read it: each `{{each judged: …}}` is repeated for every variable that quality control judges,
 * `@` being its name; `judged optional` is those of them beyond the contract, `column` every column of `observations`.
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
