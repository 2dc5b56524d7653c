/** A condition: its group and its words, as OpenWeatherMap uses them. */
export interface Condition {
  main: string;
  description: string;
}

/** WMO code table 4677, present weather: first and last code, group, words. In order; what is not listed is unknown. */
const TABLE: readonly (readonly [number, number, string, string])[] = [
  [0, 0, "Clear", "clear sky"],
  [1, 1, "Clear", "mainly clear"],
  [2, 2, "Clouds", "partly cloudy"],
  [3, 3, "Clouds", "overcast"],
  [4, 4, "Smoke", "smoke"],
  [5, 5, "Haze", "haze"],
  [6, 9, "Dust", "dust"],
  [10, 10, "Mist", "mist"],
  [11, 12, "Fog", "shallow fog"],
  [13, 13, "Thunderstorm", "lightning"],
  [14, 16, "Clouds", "precipitation in sight"],
  [17, 17, "Thunderstorm", "thunder without rain"],
  [18, 18, "Squall", "squalls"],
  [19, 19, "Tornado", "funnel cloud"],
  [30, 35, "Dust", "dust storm"],
  [36, 39, "Snow", "blowing snow"],
  [40, 47, "Fog", "fog"],
  [48, 49, "Fog", "depositing rime fog"],
  [50, 51, "Drizzle", "light drizzle"],
  [52, 53, "Drizzle", "moderate drizzle"],
  [54, 55, "Drizzle", "dense drizzle"],
  [56, 56, "Drizzle", "light freezing drizzle"],
  [57, 57, "Drizzle", "dense freezing drizzle"],
  [58, 59, "Drizzle", "drizzle and rain"],
  [60, 61, "Rain", "light rain"],
  [62, 63, "Rain", "moderate rain"],
  [64, 65, "Rain", "heavy rain"],
  [66, 66, "Rain", "light freezing rain"],
  [67, 67, "Rain", "heavy freezing rain"],
  [68, 69, "Snow", "rain and snow"],
  [70, 71, "Snow", "light snow"],
  [72, 73, "Snow", "moderate snow"],
  [74, 75, "Snow", "heavy snow"],
  [76, 76, "Snow", "diamond dust"],
  [77, 77, "Snow", "snow grains"],
  [78, 79, "Snow", "ice pellets"],
  [80, 80, "Rain", "light rain showers"],
  [81, 81, "Rain", "moderate rain showers"],
  [82, 82, "Rain", "violent rain showers"],
  [83, 84, "Snow", "rain and snow showers"],
  [85, 85, "Snow", "light snow showers"],
  [86, 86, "Snow", "heavy snow showers"],
  [87, 90, "Snow", "hail showers"],
  [91, 95, "Thunderstorm", "thunderstorm"],
  [96, 96, "Thunderstorm", "thunderstorm with light hail"],
  [97, 98, "Thunderstorm", "heavy thunderstorm"],
  [99, 99, "Thunderstorm", "thunderstorm with heavy hail"],
];

/**
 * The condition of a WMO present weather code (table 4677; Open-Meteo uses a part of it).
 *
 * @returns null for what is no such code, and for 20 to 29, which tell of the hour before
 */
export function conditionOfWmo(code: unknown): Condition | null {
  if (typeof code !== "number") return null;
  const row = TABLE.find(([first, last]) => code >= first && code <= last);
  return row === undefined || !Number.isInteger(code) ? null : { main: row[2], description: row[3] };
}
