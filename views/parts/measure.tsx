import type { Observation } from "../../core/observation.ts";
import { formatNumber } from "../format.ts";
import type { MeasureStyle } from "../measures.ts";

/** The class of the element around a value that may be missing, or undefined where it needs none. */
export function measureClass(value: number | string | null | undefined, base = ""): string | undefined {
  const classes = (value === null || value === undefined ? `${base} missing` : base).trim();
  return classes === "" ? undefined : classes;
}

/** A measured value and its unit; an en dash when it is missing. The element around it carries {@link measureClass}. */
export function Value({
  style,
  observation,
}: {
  style: MeasureStyle;
  observation: Observation | null;
}): JSX.Element {
  const value = observation?.[style.field] ?? null;
  return (
    <>
      <data value={value === null ? "" : String(value)} safe>
        {formatNumber(value, style.digits)}
      </data>
      <span class="u">{style.unit}</span>
    </>
  );
}
