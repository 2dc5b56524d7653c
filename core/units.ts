/** Kelvin to °C. */
export const celsiusFromKelvin = (k: number): number => k - 273.15;

/** Rounds to `digits` decimals, as a source with that resolution would have reported it. */
export function roundTo(value: number, digits: number): number {
  const factor = 10 ** digits;
  return Math.round(value * factor) / factor;
}

/** °F to °C. */
export const celsiusFromFahrenheit = (f: number): number => (f - 32) / 1.8;
/** hPa in an inch of mercury. */
export const HPA_PER_INHG = 33.8639;
/** m/s in a mile an hour. */
export const MS_PER_MPH = 0.44704;
/** m/s in a knot. */
export const MS_PER_KNOT = 0.514444;
/** mm in an inch. */
export const MM_PER_INCH = 25.4;
/** m in a statute mile. */
export const M_PER_MILE = 1609.344;
