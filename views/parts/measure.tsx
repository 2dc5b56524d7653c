import type { Observation } from "../../core/observation.ts";
import type { Variable } from "../../core/variables.ts";
import type { Scale, Scales } from "../units.ts";

/** The class of the element around a value that may be missing, or undefined where it needs none. */
export function measureClass(value: number | string | null | undefined, base = ""): string | undefined {
  const classes = (value === null || value === undefined ? `${base} missing` : base).trim();
  return classes === "" ? undefined : classes;
}

/** A measured value and its unit; an en dash when it is missing. The element around it carries {@link measureClass}. */
export function MeasuredValue({
  variable,
  observation,
  scales,
}: {
  variable: Variable;
  observation: Observation | null;
  scales: Scales;
}): JSX.Element {
  const value = observation?.[variable] ?? null;
  const scale = scales[variable];
  return (
    <>
      <data value={value === null ? "" : String(value)} safe>
        {scale.text(value)}
      </data>
      <span class="u" safe>
        {unitOf(scale)}
      </span>
    </>
  );
}

/** The unit as it stands beside a value: of a temperature the degree alone, which the page names once. */
function unitOf({ unit }: Scale): string {
  return unit.startsWith("°") ? "°" : unit;
}
