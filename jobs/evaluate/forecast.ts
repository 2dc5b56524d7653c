import { HOUR_MS } from "../../core/time.ts";
import { rowsOf } from "../../spark/arrow.ts";
import { tableOf } from "../../spark/models/columns.ts";
import { forecastModel } from "../../spark/models/forecast.ts";
import type { Issue } from "../../spark/models/rolling-forecast.ts";
import { LEADS } from "../../spark/models/temperature-forecaster.ts";
import { readSqlJobs } from "../../spark/sql-job.ts";
import { analysisViews } from "../../spark/views.ts";
import { markdownTable } from "../../core/markdown.ts";
import { type EvaluationContext, readCityYear, type Section, writeDays } from "./context.ts";
import { type CityHours, type CityScores, hoursByCity, scoreCity, scoresOf } from "./forecast-origins.ts";
import { comparePeers } from "./forecast-peers.ts";
import type { LeadScores } from "./forecast-scores.ts";

/** Hours of history that the job reads. */
const JOB_HISTORY = 60 * 24;
/** Hours between two origins at which the job is run over its 60 days: no whole days, so that the hour differs. */
const JOB_EVERY = 28 * 24 + 5;
/** Leads that are printed. */
const SHOWN = [1, 2, 3, 6, 9, 12, 18, 24, 36, 48];
/** What is to be reached: MAE in °C by lead, and the share of the outcomes in a 90 % interval at every lead. */
const MAE_MAX = [
  [1, 0.57],
  [3, 1.21],
  [6, 1.9],
  [12, 2.55],
  [24, 2.8],
  [48, 3.45],
] as const;
const COVERAGE = { min: 0.88, max: 0.92 } as const;
/** Up to this lead both references are to be beaten. */
const SKILL_LEADS = 24;

/**
 * Scores the temperature forecasts of every hour of the year of the 24 cities, from the hours that the forecast job's own
 * SELECT gives; with peers also statsforecast's best models beside them.
 *
 * @throws ConfigError when the data cannot be read, Error when the peers cannot be run
 */
export async function evaluateForecast(context: EvaluationContext): Promise<Section> {
  const { engine, log } = context;
  const year = await readCityYear(context);
  const snapshot = { files: await writeDays(context, "forecast", year.rows) };
  const job = (await readSqlJobs()).find(({ name }) => name === "forecast")!;
  const views = await analysisViews({ cities: year.cities });
  const rows = await engine.query(job.sql, { snapshot, views, arguments: { days: null } });
  const cities = hoursByCity(rows);
  log(`forecasts from ${rows.numRows} hours of ${cities.length} cities`);

  const scored: CityScores[] = [];
  const difference = { hours: 0, max: 0, sum: 0 };
  for (const city of cities) {
    const jobHours = new Set<number>();
    for (let hour = JOB_HISTORY; hour < city.values.length; hour += JOB_EVERY)
      jobHours.add(city.first + hour);
    const issues: Issue[] = [];
    scored.push(
      scoreCity(city, (issue) => {
        if (jobHours.has(issue.hour)) issues.push(structuredClone(issue));
      }),
    );
    for (const issue of issues) {
      for (const size of await jobDifferences(city, issue)) {
        difference.hours++;
        difference.sum += size;
        difference.max = Math.max(difference.max, size);
      }
    }
    log(`forecasts of ${city.city}: ${scored.at(-1)!.origins} origins`);
  }

  const all = scoresOf(scored);
  const origins = scored.reduce((sum, one) => sum + one.origins, 0);
  const unpaired = scored.reduce((sum, one) => sum + one.unpaired, 0);
  const markdown = [
    `Temperature, 24 cities, ${origins} origins: every hour with 58 days of history or more, forecasts of leads 1 to ${LEADS} h by ` +
      "`spark/forecast.sql` and its model ([forecast.md](forecast.md)). Hours whose temperature failed quality control are left out" +
      `; ${unpaired} outcomes are left out because the hour that seasonal naive takes is missing. Persistence: the last value. ` +
      "Seasonal naive: the same hour of the last day. Skill: 1 − MAE / MAE of the reference. °C.",
    scoreTable(all),
    claims(all, scored).join("\n"),
    "The settings of the method were chosen on the first, third, fifth … city by name. MAE on these and on the other half:",
    halves(scored),
    `A run of the job sees its last 60 days; the scores come from one pass over the year. At ${difference.hours / LEADS} origins both ` +
      `were made: the forecasts differ by ${(difference.sum / difference.hours).toFixed(4)} °C in the mean, ${difference.max.toFixed(3)} °C at most.`,
    ...(context.peers ? await comparePeers(cities, log) : []),
  ].join("\n\n");
  return { title: "Forecasts", markdown };
}

/** How much the forecasts of a run of the job over its 60 days differ from those of the pass over the year, °C. */
async function jobDifferences({ city, first, values }: CityHours, issue: Issue): Promise<number[]> {
  const end = issue.hour - first + 1;
  const hours: number[] = [];
  for (let hour = end - JOB_HISTORY; hour < end; hour++) if (!Number.isNaN(values[hour])) hours.push(hour);
  const result = await forecastModel(
    await tableOf({
      city: { type: "text", values: hours.map(() => city) },
      source: { type: "text", values: hours.map(() => "") },
      hour: { type: "timestamp", values: Float64Array.from(hours, (hour) => (first + hour) * HOUR_MS) },
      temperature: { type: "double", values: Float64Array.from(hours, (hour) => values[hour]!) },
    }),
  );
  return rowsOf(result).map(({ temperature }, i) => Math.abs(Number(temperature) - issue.temperature[i]!));
}

function scoreTable(all: readonly LeadScores[]): string {
  const header = [
    "Lead h",
    "MAE",
    "RMSE",
    "Bias",
    "MASE",
    "Persistence MAE",
    "Seasonal naive MAE",
    "Skill to persistence",
    "Skill to seasonal naive",
    "Coverage of 90 %",
    "Mean width",
    "Pinball loss",
    "n",
  ];
  const rows = SHOWN.map((lead) => {
    const { n, mae, rmse, bias, mase, persistence, naive, coverage, width, pinball } = all[lead - 1]!;
    const skills = [1 - mae / persistence, 1 - mae / naive].map((value) => value.toFixed(3));
    const parts = [mae, rmse, bias, mase, persistence, naive].map((value) => value.toFixed(3));
    return [lead, ...parts, ...skills, coverage.toFixed(3), width.toFixed(2), pinball.toFixed(3), n];
  });
  return markdownTable(header, rows);
}

/** Each aim and whether it is reached, over all leads and not only those printed. */
function claims(all: readonly LeadScores[], scored: readonly CityScores[]): string[] {
  const said = (reached: boolean) => (reached ? "reached" : "NOT reached");
  const maes = MAE_MAX.map(([lead]) => all[lead - 1]!.mae);
  const skilled = all.slice(0, SKILL_LEADS);
  const coverages = all.map(({ coverage }) => coverage);
  const ofCities = scored.flatMap(({ leads }) => leads.map(({ scores }) => scores.coverage));
  const range = (values: readonly number[]) =>
    `${Math.min(...values).toFixed(3)} to ${Math.max(...values).toFixed(3)}`;
  return [
    `- MAE at or under ${MAE_MAX.map(([, max]) => max).join(" / ")} °C at ${MAE_MAX.map(([lead]) => lead).join(" / ")} h: ` +
      `${said(MAE_MAX.every(([, max], i) => maes[i]! <= max))}, ${maes.map((mae) => mae.toFixed(2)).join(" / ")}.`,
    `- Better than persistence and seasonal naive at every lead from 1 to ${SKILL_LEADS} h: ` +
      `${said(skilled.every(({ mae, persistence, naive }) => mae < persistence && mae < naive))}; ` +
      `of all ${LEADS} leads at ${all.filter(({ mae, persistence, naive }) => mae < persistence && mae < naive).length}.`,
    `- 90 % intervals that hold ${COVERAGE.min} to ${COVERAGE.max} at every lead: ` +
      `${said(coverages.every((share) => share >= COVERAGE.min && share <= COVERAGE.max))}, ${range(coverages)} over the leads; ` +
      `over single cities and leads ${range(ofCities)}.`,
  ];
}

function halves(scored: readonly CityScores[]): string {
  const header = ["Cities", ...SHOWN.map((lead) => `${lead} h`), "Coverage over the leads"];
  const rows = (["chosen on", "the other half"] as const).map((name, half) => {
    const scores = scoresOf(scored.filter((_, i) => i % 2 === half));
    const coverages = scores.map(({ coverage }) => coverage);
    const range = `${Math.min(...coverages).toFixed(3)} to ${Math.max(...coverages).toFixed(3)}`;
    return [name, ...SHOWN.map((lead) => scores[lead - 1]!.mae.toFixed(3)), range];
  });
  return markdownTable(header, rows);
}
