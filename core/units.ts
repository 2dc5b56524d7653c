/** Degrees Fahrenheit to °C. */
export const celsiusFromFahrenheit = (f: number): number => (f - 32) / 1.8;
/** Kelvin to °C. */
export const celsiusFromKelvin = (k: number): number => k - 273.15;
/** Miles per hour to m/s (international mile: 1609.344 m). */
export const metresPerSecondFromMph = (mph: number): number => mph * 0.44704;
/** Kilometres per hour to m/s. */
export const metresPerSecondFromKmh = (kmh: number): number => kmh / 3.6;
/** Knots to m/s (1852 m per hour). */
export const metresPerSecondFromKnots = (kt: number): number => kt * 0.514444;
/** Inches of mercury at 0 °C to hPa. */
export const hectopascalFromInHg = (inHg: number): number => inHg * 33.8639;
/** Inches to mm. */
export const millimetresFromInches = (inches: number): number => inches * 25.4;

/** Rounds to `digits` decimals, as a source with that resolution would have reported it. */
export function roundTo(value: number, digits: number): number {
  const factor = 10 ** digits;
  return Math.round(value * factor) / factor;
}
