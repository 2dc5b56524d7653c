import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DataType, type Schema } from "apache-arrow";
import { openDuckDb } from "../../../spark/duckdb.ts";
import type { Engine } from "../../../spark/engine.ts";
import { readSqlJobs, runJob, type SqlJob } from "../../../spark/sql-job.ts";
import { analysisViews } from "../../../spark/views.ts";
import { markdownTable } from "../../../core/markdown.ts";

/** The page of the analytic jobs, `docs/jobs.md`: made of their headers and of the columns that they give. */
export async function jobsPage(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "isobar-docs-"));
  const engine = await openDuckDb({ tempFolder: folder, threads: 1 });
  try {
    const jobs = await readSqlJobs();
    const sections: string[] = [];
    for (const job of jobs) sections.push(section(job, await schemaOf(engine, job)));
    return `# Analytic jobs

<!-- This page is made by \`bun run docs\` from the headers of spark/*.sql. -->

A job is one file \`spark/<name>.sql\` with a header (\`spark/sql-job.ts\`); a file more is a job more. Each runs on the schedule (\`ANALYTICS_CRON\`, where it does not name
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

function section({ name, title, question, note, keeps, parameters }: SqlJob, schema: Schema): string {
  const parts = [`## ${name}`, `**${title}.** ${question}`];
  if (note !== null) parts.push(note);
  if (keeps !== null)
    parts.push(
      `Of the results older than the newest ten, every ${keeps.every}th of the newest ${keeps.of} is kept.`,
    );
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
