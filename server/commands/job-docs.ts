import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DataType, type Schema } from "apache-arrow";
import { openDuckDb } from "../../spark/duckdb.ts";
import type { Engine } from "../../spark/engine.ts";
import { readSqlJobs, runJob, type SqlJob } from "../../spark/sql-job.ts";
import { analysisViews } from "../../spark/views.ts";
import { markdownTable } from "../api/markdown.ts";

/** What a job's header has no room for, by the job's name. */
const NOTES: Readonly<Record<string, string>> = {
  anomalies: "[anomalies.md](anomalies.md) has the five kinds, their methods and thresholds.",
  baseline: "What the anomalies are held against: [anomalies.md](anomalies.md).",
  city_correlation: `\`correlation\` is Pearson's of the departures of the hourly means from the usual day of the month (the mean of that
hour of the day in that month; of fewer than five days nobody knows what is usual); \`correlation_raw\` is that of the hourly means
themselves, in which sun and season make all cities of one half of the Earth go together. \`n\` and \`n_raw\` are the hours that
both cities have; below 24 there is no correlation. \`distance\` is on the great circle, km. Pairs grow with the square of the
cities: as scheduled it compares the 30 cities with the most temperatures, which are 435 pairs.`,
  climate_clusters: `k-means on six features, each brought to mean 0 and standard deviation 1: the mean of the daily mean temperatures and their
standard deviation, the mean range of the day, mean humidity, mean wind, and the share of reports with rain of 0.1 mm or more. A
day of UTC counts with reports in eight of its hours, and a city with ten days. A feature that half of the cities lack is left out; a
city that lacks one counts as average in it. Two to eight groups are tried, each from 16 k-means++ seeds that are the same in every
run, and the number with the largest mean silhouette is taken; \`tried\` has all of them. Up to 0.25 there is no structure
(Kaufman and Rousseeuw), and all are one group. Groups are numbered from the coldest on.`,
  daily_summary: `Days are those of the city's own calendar: its \`zone\` from midnight to midnight, with 23 hours where the clocks go forward and 25
where they go back. A city that is not configured has days of UTC. \`hours\` are those in which something was reported, and
\`coverage\` is their share of \`hours_of_day\`. Means are over all reports. Rain totals of the last hour overlap when they are
reported more often: the last of each hour counts (of several sources at that time the first by name), in the day in which it was
reported. The wind's direction is that of the mean vector, with none where that is below 0.1 m/s.`,
  derived_values: `\`dew_point\`: Magnus formula with the coefficients of Alduchov and Eskridge (1996), from −40 to 50 °C and from 1 % on.
\`heat_index\`: the US National Weather Service's, from 80 °F (26.7 °C) on: Rothfusz's regression (SR 90-23) with both
adjustments, or the simple formula where that stays below 80 °F; none above 137 °F (58.3 °C), where the Service's chart ends.
\`wind_chill\`: Environment Canada's and the Weather Service's, up to 10 °C and above 4.8 km/h. \`beaufort\`: 0 to 12, by the lower
bounds in m/s. Outside of these ranges a value is null. \`is_suspect\`: one of temperature, humidity and wind is suspect.`,
  forecast: "[forecast.md](forecast.md) has the method, and the interval's.",
  level: "What quality control holds pressures against: [quality.md](quality.md).",
  records: `\`value\` was first reached at \`timestamp\`, and \`times\` in all; \`n\` are the values it is the extreme of, \`since\` when the city's
first report is from. \`is_suspect\`: that first report's value is suspect, which records often are. \`rainfall_1h_max\` is the
largest single report of the last hour's rain; a city without rain has none.`,
};

/** The page of the analytic jobs, `docs/jobs.md`: made of their headers and of the columns that they give. */
export async function jobsPage(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "isobar-docs-"));
  const engine = await openDuckDb({ tempFolder: folder, threads: 1 });
  try {
    const jobs = await readSqlJobs();
    const sections: string[] = [];
    for (const job of jobs) sections.push(section(job, await schemaOf(engine, job)));
    return `# Analytic jobs

<!-- This page is made by \`bun run docs\` from the headers of spark/*.sql and from server/commands/job-docs.ts. -->

A job is one file \`spark/<name>.sql\`; a file more is a job more. Each runs on the schedule (\`ANALYTICS_CRON\`, where it does not name
its own) and on demand, and its newest result is kept in the lake and served as JSON, CSV and Arrow. Parameters have the values below
when it is scheduled; \`bun run analytics\` takes others.

Every job reads the observations with their flags of quality control ([quality.md](quality.md)). A value is left out where its
variable fails (flag 4); suspect ones (flag 3) count, and are told or counted apart. Units are those of the record: °C, % of relative
humidity, hPa at sea level, m/s, mm, degrees from north. \`n\` is how many values a figure rests on, \`coverage\` the share of the hours
that there could be. Null is "not known", never 0. The same text gives the same rows on DuckDB and on Spark.

${markdownTable(
  ["Job", "What it answers", "Parameters when scheduled"],
  jobs.map(({ name, question, parameters }) => [
    `[\`${name}\`](#${name})`,
    question,
    parameters.map((parameter) => `\`${parameter.name}\` = ${String(parameter.value)}`).join(", "),
  ]),
)}

${sections.join("\n")}`;
  } finally {
    await engine.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** The columns of a job's result. */
async function schemaOf(engine: Engine, job: SqlJob): Promise<Schema> {
  const views = await analysisViews({ cities: [] });
  return (await runJob(engine, job, { snapshot: { files: [] }, views })).schema;
}

function section({ name, title, question, parameters }: SqlJob, schema: Schema): string {
  const parts = [`## ${name}`, `**${title}.** ${question}`];
  if (NOTES[name] !== undefined) parts.push(NOTES[name]);
  if (parameters.length > 0) {
    const rows = parameters.map((one) => [`\`${one.name}\``, one.type, String(one.value), one.description]);
    parts.push(markdownTable(["Parameter", "Type", "Default", "Meaning"], rows));
  }
  const columns = schema.fields.map((field) => `\`${field.name}\` ${typeOf(field.type)}`);
  parts.push(`Columns: ${columns.join(", ")}.`);
  return `${parts.join("\n\n")}\n`;
}

function typeOf(type: DataType): string {
  if (DataType.isTimestamp(type)) return "time";
  if (DataType.isDate(type)) return "date";
  if (DataType.isBool(type)) return "boolean";
  if (DataType.isInt(type)) return "integer";
  return DataType.isFloat(type) ? "number" : "text";
}
