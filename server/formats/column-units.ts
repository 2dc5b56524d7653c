import { VARIABLE_NAMES, VARIABLES } from "../../core/variables.ts";

/** Units by a variable's name, and by what a result's columns call it in short. */
const UNITS = new Map(
  VARIABLE_NAMES.flatMap((name) => {
    const { unit, short } = VARIABLES[name];
    return [[name, unit] as const, ...(short === undefined ? [] : [[short, unit] as const])];
  }),
);

/** Most words of a name of {@link UNITS}. */
const WORDS_MAX = Math.max(...[...UNITS.keys()].map((name) => name.split("_").length));

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
  for (let length = WORDS_MAX; length > 0; length--) {
    for (let start = 0; start + length <= words.length; start++) {
      const unit = UNITS.get(words.slice(start, start + length).join("_"));
      if (unit !== undefined) return { unit, rest: words.toSpliced(start, length) };
    }
  }
  return undefined;
}
