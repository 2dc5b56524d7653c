import type { JsonSchema } from "./schema.ts";

/** What a console sends under one name. */
export interface SentField {
  description: string;
  schema: JsonSchema;
  example: string | number;
}
type Fields = Readonly<Record<string, SentField>>;

const quantity = (description: string, unit: string, example: number): SentField => ({
  description: `${description}, ${unit}. Empty, and -9999, means that the sensor is away.`,
  schema: { type: "number", "x-unit": unit },
  example,
});
const words = (description: string, example: string): SentField => ({
  description,
  schema: { type: "string", maxLength: 200 },
  example,
});
const TIME = words(
  "When it was observed: `now`, or `YYYY-MM-DD HH:MM:SS` in UTC. It must be there.",
  "2026-01-31 11:59:00",
);
const BOTH: Fields = {
  dateutc: TIME,
  tempf: quantity("Air temperature", "°F", 46.4),
  humidity: quantity("Relative humidity", "%", 81),
  windspeedmph: quantity("Wind speed", "mph", 4.5),
  windgustmph: quantity("Strongest gust", "mph", 9.2),
  winddir: quantity("Where the wind comes from, from north", "°", 240),
  dailyrainin: quantity("Rain since the station's midnight", "in", 0.12),
  tempc: quantity("Air temperature", "°C", 8),
  dewptc: quantity("Dew point", "°C", 4.4),
  windspeedkmh: quantity("Wind speed", "km/h", 7.2),
  windgustkmh: quantity("Strongest gust", "km/h", 14.8),
  windspeedms: quantity("Wind speed", "m/s", 2),
  windgustms: quantity("Strongest gust", "m/s", 4.1),
  baromhpa: quantity("Air pressure at sea level", "hPa", 1013.2),
  baromrelhpa: quantity("Air pressure at sea level", "hPa", 1013.2),
  rainmm: quantity("Rain of the last 60 minutes", "mm", 0.5),
  hourlyrainmm: quantity("Rain of the last 60 minutes", "mm", 0.5),
  dailyrainmm: quantity("Rain since the station's midnight", "mm", 3),
};

/** What of the Weather Underground protocol is read. */
export const WUNDERGROUND_FIELDS: Fields = {
  ID: words("The station's id.", "garden"),
  PASSWORD: words("The station's key.", "2345678abcdefgh2345678ab"),
  ...BOTH,
  dewptf: quantity("Dew point", "°F", 39.9),
  baromin: quantity("Air pressure at sea level", "inHg", 29.92),
  rainin: quantity("Rain of the last 60 minutes", "in", 0.02),
};

/** What of Ecowitt's protocol is read. */
export const ECOWITT_FIELDS: Fields = {
  PASSKEY: words("The station's key, where the path has none.", "2345678abcdefgh2345678ab"),
  ...BOTH,
  baromrelin: quantity("Air pressure at sea level", "inHg", 29.92),
  hourlyrainin: quantity("Rain of the last 60 minutes", "in", 0.02),
  hrain_piezo: quantity("The same of a gauge without moving parts", "in", 0.02),
  drain_piezo: quantity("Rain since the station's midnight of a gauge without moving parts", "in", 0.12),
};

/** The fields as a form. */
export function formOf(fields: Fields): JsonSchema {
  const properties = Object.entries(fields).map(
    ([name, { description, schema }]) => [name, { ...schema, description }] as const,
  );
  return {
    type: "object",
    description: "What the console sends; more fields are taken and left out",
    properties: Object.fromEntries(properties),
  };
}
