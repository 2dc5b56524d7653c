import type { Observation } from "../core/observation.ts";
import { type Variable, VARIABLE_NAMES, VARIABLES } from "../core/variables.ts";

/** What pages call a value: with the hour, where it is the sum of one. */
export function valueLabel(name: Variable): string {
  const { label, aggregation } = VARIABLES[name];
  return aggregation === "sum of hours" ? `${label} 1 h` : label;
}

/**
 * The variables that are shown of reports: those of the contract, be they missing, and of the others those that one of the
 * reports has.
 */
export function shownVariables(reports: readonly (Observation | null)[]): Variable[] {
  return VARIABLE_NAMES.filter(
    (name) => VARIABLES[name].contract || reports.some((report) => (report?.[name] ?? null) !== null),
  );
}
