import type { Table } from "apache-arrow";
import { HOUR_MS } from "../../core/time.ts";
import { type Issue, RollingForecast } from "../../spark/models/rolling-forecast.ts";
import { LEADS } from "../../spark/models/temperature-forecaster.ts";
import { type LeadScores, ScoreSum } from "./forecast-scores.ts";

const DAY = 24;
/** Hours of history before the first forecast that counts: 30 days to fit, 28 of past errors. */
const HISTORY = 58 * DAY;
/** Hours the unit of MASE is a mean of. */
const SCALE_HOURS = 30 * DAY;

/** One city's hours from its first to its last. */
export interface CityHours {
  city: string;
  /** The first, in hours since the epoch. */
  first: number;
  /** °C; NaN where an hour is missing. */
  values: Float64Array;
}

/** What the forecasts of a city scored. */
export interface CityScores {
  city: string;
  /** One sum a lead. */
  leads: ScoreSum[];
  /** Hours at which forecasts were made that count. */
  origins: number;
  /** Outcomes left out because the same hour of the day before is missing. */
  unpaired: number;
}

/** The rows of the forecast job's SELECT, by city. */
export function hoursByCity(rows: Table): CityHours[] {
  const [cities, hours, temperatures] = ["city", "hour", "temperature"].map((name) => rows.getChild(name));
  const found = new Map<string, [number, number][]>();
  for (let row = 0; row < rows.numRows; row++) {
    const city = String(cities?.get(row));
    const one: [number, number] = [Number(hours?.get(row)) / HOUR_MS, Number(temperatures?.get(row))];
    const own = found.get(city);
    if (own === undefined) found.set(city, [one]);
    else own.push(one);
  }
  return [...found].map(([city, own]) => {
    const first = own[0]![0];
    const values = new Float64Array(own.at(-1)![0] - first + 1).fill(NaN);
    for (const [hour, temperature] of own) values[hour - first] = temperature;
    return { city, first, values };
  });
}

/**
 * Makes the forecasts of every hour of a city, each from what was known then, and scores those with enough history.
 *
 * @param issued told of each hour's forecasts
 */
export function scoreCity({ city, first, values }: CityHours, issued?: (issue: Issue) => void): CityScores {
  const leads = Array.from({ length: LEADS }, () => new ScoreSum());
  const scales = naiveErrors(values);
  let [origins, unpaired] = [0, 0];
  const forecast = new RollingForecast((issue, lead, outcome) => {
    const origin = issue.hour - first;
    const halfWidth = issue.halfWidth[lead - 1]!;
    if (origin < HISTORY || Number.isNaN(halfWidth)) return;
    const naive = values[origin + lead - DAY * Math.ceil(lead / DAY)]!;
    if (Number.isNaN(naive)) {
      unpaired++;
      return;
    }
    leads[lead - 1]!.add({
      error: issue.temperature[lead - 1]! - outcome,
      halfWidth,
      persistenceError: values[origin]! - outcome,
      naiveError: naive - outcome,
      scale: scales[origin]!,
    });
  });
  for (let hour = 0; hour < values.length; hour++) {
    if (Number.isNaN(values[hour])) continue;
    forecast.observe(first + hour, values[hour]!);
    const { latest } = forecast;
    if (hour < HISTORY || latest === null) continue;
    origins++;
    issued?.(latest);
  }
  return { city, leads, origins, unpaired };
}

/** The scores of some cities together, one a lead. */
export function scoresOf(cities: readonly CityScores[]): LeadScores[] {
  return Array.from({ length: LEADS }, (_, i) => {
    const sum = new ScoreSum();
    for (const { leads } of cities) sum.merge(leads[i]!);
    return sum.scores;
  });
}

/** At each hour the mean absolute difference to the day before, over the 30 days up to it. */
function naiveErrors(values: Float64Array): Float64Array {
  const means = new Float64Array(values.length).fill(NaN);
  const sizeAt = (hour: number) => Math.abs(values[hour]! - values[hour - DAY]!);
  let [sum, n] = [0, 0];
  for (let hour = DAY; hour < values.length; hour++) {
    const enters = sizeAt(hour);
    const leaves = hour - SCALE_HOURS < DAY ? NaN : sizeAt(hour - SCALE_HOURS);
    if (!Number.isNaN(enters)) [sum, n] = [sum + enters, n + 1];
    if (!Number.isNaN(leaves)) [sum, n] = [sum - leaves, n - 1];
    means[hour] = n === 0 ? NaN : sum / n;
  }
  return means;
}
