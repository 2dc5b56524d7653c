/** How the numbers of an observation are shown: one list for cards, tables and what updates them. */
export const MEASURES = [
  { field: "temperature", label: "Temperature", unit: "°", digits: 1 },
  { field: "humidity", label: "Humidity", unit: "%", digits: 0 },
  { field: "pressure", label: "Pressure", unit: "hPa", digits: 0 },
  { field: "wind_speed", label: "Wind", unit: "m/s", digits: 0 },
  { field: "rainfall", label: "Rain 1 h", unit: "mm", digits: 1 },
] as const;

/** One entry of {@link MEASURES}. */
export type MeasureStyle = (typeof MEASURES)[number];
