/** How the values of a stretch of time become one. The mean of a direction is that of its vectors. */
export type Aggregation = "mean" | "mean vector" | "maximum" | "sum of hours";

/** What is known of one variable. */
export interface VariableInfo {
  /** Whether it is part of the contract: always in a record, null when missing. Any other is left out when missing. */
  contract: boolean;
  /** Its name in the CF conventions (cfconventions.org, standard names). */
  standardName: string;
  /** Its unit in the record, in the API and in the lake; `1` where it has none. */
  unit: string;
  /** What it is, for people who read the API. */
  meaning: string;
  /** The range outside which no instrument on Earth can have measured it: such a value is kept as it came, and left out. */
  range: readonly [low: number, high: number];
  /** Decimals that pages show in the record's unit. */
  decimals: number;
  /** Its value in the API's examples. */
  example: number;
  /** What pages call it where there is little room. */
  label: string;
  /** What results and addresses call it, where that is shorter than its own name: `wind` in `wind_mean`. */
  short?: string;
  aggregation: Aggregation;
  /** How a city's page draws its course; left out where it has no panel there. */
  chart?: {
    /** The smallest range that is worth drawing, in the record's unit. */
    least: number;
    /** Where the axis ends at the latest, if that is below the range. */
    ceiling?: number;
  };
}

/**
 * What is measured: the one place where a variable is described. The record, the columns of lake and API, units, pages,
 * alert rules, imports and documents follow from it. The order is that of the record, so a new one comes last. Quality control
 * judges each: it has a flag, and limits of the test `gross` in `spark/limits.csv`.
 */
const TABLE = {
  temperature: {
    contract: true,
    standardName: "air_temperature",
    unit: "°C",
    meaning: "Air temperature",
    range: [-100, 100],
    decimals: 1,
    example: 7.5,
    label: "Temperature",
    short: "temp",
    aggregation: "mean",
    chart: { least: 4 },
  },
  humidity: {
    contract: true,
    standardName: "relative_humidity",
    unit: "%",
    meaning: "Relative humidity",
    range: [0, 110],
    decimals: 0,
    example: 81,
    label: "Humidity",
    aggregation: "mean",
    chart: { least: 30, ceiling: 100 },
  },
  pressure: {
    contract: true,
    standardName: "air_pressure_at_mean_sea_level",
    unit: "hPa",
    meaning: "Air pressure at mean sea level",
    range: [300, 1200],
    decimals: 0,
    example: 1012.4,
    label: "Pressure",
    aggregation: "mean",
    chart: { least: 8 },
  },
  wind_speed: {
    contract: true,
    standardName: "wind_speed",
    unit: "m/s",
    meaning: "Wind speed",
    range: [0, 1000],
    decimals: 1,
    example: 4.1,
    label: "Wind",
    short: "wind",
    aggregation: "mean",
    chart: { least: 4 },
  },
  rainfall: {
    contract: true,
    standardName: "lwe_thickness_of_precipitation_amount",
    unit: "mm",
    meaning: "Rain of the last hour",
    range: [0, 2000],
    decimals: 1,
    example: 0,
    label: "Rain",
    short: "rain",
    aggregation: "sum of hours",
    chart: { least: 1 },
  },
  wind_direction: {
    contract: false,
    standardName: "wind_from_direction",
    unit: "°",
    meaning: "Where the wind comes from, from north",
    range: [0, 360],
    decimals: 0,
    example: 240,
    label: "Wind from",
    aggregation: "mean vector",
  },
  wind_gust: {
    contract: false,
    standardName: "wind_speed_of_gust",
    unit: "m/s",
    meaning: "Strongest gust",
    range: [0, 1000],
    decimals: 1,
    example: 9.3,
    label: "Gust",
    short: "gust",
    aggregation: "maximum",
  },
  dew_point: {
    contract: false,
    standardName: "dew_point_temperature",
    unit: "°C",
    meaning: "Dew point",
    range: [-120, 100],
    decimals: 1,
    example: 4.4,
    label: "Dew point",
    aggregation: "mean",
  },
  clouds: {
    contract: false,
    standardName: "cloud_area_fraction",
    unit: "%",
    meaning: "Cloud cover",
    range: [0, 100],
    decimals: 0,
    example: 75,
    label: "Clouds",
    aggregation: "mean",
  },
  visibility: {
    contract: false,
    standardName: "visibility_in_air",
    unit: "m",
    meaning: "Visibility",
    range: [0, 1_000_000],
    decimals: 0,
    example: 24_000,
    label: "Visibility",
    aggregation: "mean",
  },
} as const satisfies Record<string, VariableInfo>;

/** Name of a variable: its field in the record, its column in lake and API. */
export type Variable = keyof typeof TABLE;

type WhereContract<Value extends boolean> = {
  [Name in Variable]: (typeof TABLE)[Name]["contract"] extends Value ? Name : never;
}[Variable];

/** One of the contract: in every record, null when missing. */
export type ContractVariable = WhereContract<true>;
/** One that only some sources have: left out of a record when missing. */
export type OptionalVariable = WhereContract<false>;

/** What is known of each variable, in the order of the record. */
export const VARIABLES: Readonly<Record<Variable, VariableInfo>> = TABLE;

/** A unit as it stands beside a number: nothing for a variable that has none. */
export function unitBeside(unit: string): string {
  return unit === "1" ? "" : unit;
}

/** Every variable, in the order of the record: first those of the contract. */
export const VARIABLE_NAMES = Object.keys(TABLE) as readonly Variable[];

/** Those of the contract. */
export const CONTRACT_VARIABLES = VARIABLE_NAMES.filter(
  (name): name is ContractVariable => VARIABLES[name].contract,
);

/** Those that only some sources have. */
export const OPTIONAL_VARIABLES = VARIABLE_NAMES.filter(
  (name): name is OptionalVariable => !VARIABLES[name].contract,
);

/** Those with a panel on a city's page. */
export const CHARTED_VARIABLES = VARIABLE_NAMES.filter((name) => VARIABLES[name].chart !== undefined);
