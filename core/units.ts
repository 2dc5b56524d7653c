/** Kelvin to °C. */
export const celsiusFromKelvin = (k: number): number => k - 273.15;

/** Rounds to `digits` decimals, as a source with that resolution would have reported it. */
export function roundTo(value: number, digits: number): number {
  const factor = 10 ** digits;
  return Math.round(value * factor) / factor;
}
