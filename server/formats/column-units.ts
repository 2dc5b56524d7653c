import type { OPTIONAL_FIELDS, VARIABLES } from "../../core/observation.ts";

/** Units of an observation's numbers. */
const UNITS = {
  temperature: "°C",
  humidity: "%",
  pressure: "hPa",
  wind_speed: "m/s",
  rainfall: "mm",
  wind_direction: "°",
  wind_gust: "m/s",
  dew_point: "°C",
  clouds: "%",
  visibility: "m",
} as const satisfies Record<(typeof VARIABLES)[number] | (typeof OPTIONAL_FIELDS)[number], string>;

/** What a result's columns call a variable in short. */
const SHORT: Readonly<Record<string, string>> = {
  ...UNITS,
  temp: "°C",
  wind: "m/s",
  gust: "m/s",
  rain: "mm",
};

/** Words that leave the unit as it is: `temperature_p95` is in °C, `temperature_n` and `temperature_z` are not. */
const KEEPS_UNIT =
  /^(value|expected|lower|upper|bound|min|max|mean|avg|average|median|p\d+|std|stddev|sd|deviation|mad|iqr|total|sum|change|range|moving|ma|ma\d+|\d+h|first|last|mm|baseline)$/;

/**
 * Units by column, for the columns that have one: an observation's own, and what is computed from one by a name such as
 * `temperature_mean` or `mean_wind_speed`.
 *
 * @param columns names of columns
 * @param about what the columns without a variable in their name (`expected`, `upper`) are about, as a job's name begins
 */
export function unitsOf(columns: readonly string[], about = ""): Record<string, string> {
  const units: Record<string, string> = {};
  const subject = find(about)?.unit;
  for (const name of columns) {
    const found = find(name);
    const rest = found?.rest ?? name.split("_");
    const unit = found?.unit ?? subject;
    if (unit !== undefined && rest.every((word) => KEEPS_UNIT.test(word))) units[name] = unit;
  }
  return units;
}

/** The variable in a name, the longest one, and the words beside it. */
function find(name: string): { unit: string; rest: string[] } | undefined {
  const words = name.split("_");
  for (const length of [2, 1]) {
    for (let start = 0; start + length <= words.length; start++) {
      const unit = SHORT[words.slice(start, start + length).join("_")];
      if (unit !== undefined) return { unit, rest: words.toSpliced(start, length) };
    }
  }
  return undefined;
}
