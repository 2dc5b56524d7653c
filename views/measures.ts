import type { Scales } from "./units.ts";

/** The numbers of an observation as they are shown: one list for cards, tables and what updates them. */
export const MEASURES = [
  { field: "temperature", label: "Temperature", scale: "temperature" },
  { field: "humidity", label: "Humidity", scale: "humidity" },
  { field: "pressure", label: "Pressure", scale: "pressure" },
  { field: "wind_speed", label: "Wind", scale: "wind" },
  { field: "rainfall", label: "Rain 1 h", scale: "rain" },
] as const satisfies readonly { field: string; label: string; scale: keyof Scales }[];

/** One entry of {@link MEASURES}. */
export type MeasureStyle = (typeof MEASURES)[number];
