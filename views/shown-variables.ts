import type { Observation } from "../core/observation.ts";
import { impossibleOf } from "../core/impossible-values.ts";
import { type Variable, VARIABLE_NAMES, VARIABLES } from "../core/variables.ts";

/** What pages call a value: with the hour, where it is the sum of one. */
export function valueLabel(name: Variable): string {
  const { label, aggregation } = VARIABLES[name];
  return aggregation === "sum of hours" ? `${label} 1 h` : label;
}

/** What came of a report's variable that no instrument can have measured; undefined where nothing such came. */
export function impossibleValue(
  { impossible }: Pick<Observation, "impossible">,
  name: Variable,
): string | undefined {
  const values = impossibleOf(impossible);
  return typeof values === "string" ? undefined : values[name];
}

/**
 * The variables that are shown of reports: those of the contract, be they missing, and of the others those that one of the
 * reports has, possible or not.
 */
export function shownVariables(reports: readonly (Observation | null)[]): Variable[] {
  return VARIABLE_NAMES.filter(
    (name) =>
      VARIABLES[name].contract ||
      reports.some(
        (report) =>
          report !== null && ((report[name] ?? null) !== null || impossibleValue(report, name) !== undefined),
      ),
  );
}
