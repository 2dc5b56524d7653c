import { join } from "node:path";
import type { Row } from "../../core/observation.ts";
import { rowsOf } from "../../spark/arrow.ts";
import type { SnapshotFile, SqlView } from "../../spark/engine.ts";
import { valuesView } from "../../spark/values.ts";
import { analysisViews } from "../../spark/views.ts";
import { markdownTable } from "../../core/markdown.ts";
import { type CityYear, type EvaluationContext, readCityYear, readCsv, type Section } from "./context.ts";

/** The share of good data that may fail. */
const GOAL = 0.005;
/** Shares of an earlier measurement, with the same limits on a year of other cities: suspect and failed, in %. */
const MEASURED: readonly (readonly [test: string, variable: Variable, suspect: string, fail: string])[] = [
  ["step", "temperature", "1.46", "0"],
  ["step", "pressure", "2.0", "1.1"],
  ["step", "humidity", "0.38", "–"],
  ["spike", "temperature", "0.18", "0.047"],
  ["spike", "pressure", "0.51", "0.24"],
  ["stuck", "temperature", "0.04", "0.001"],
  ["stuck", "humidity", "–", "–"],
  ["stuck", "pressure", "–", "–"],
  ["level", "pressure", "–", "0.34"],
];
/** Airport observations with a wind that nobody has ever felt. */
const AIRPORTS = { file: "nyc_asos_2013_ewr_jfk.csv", metresPerSecond: 0.44704 } as const;

type Variable = "temperature" | "humidity" | "pressure";

/**
 * Quality control on real observations: how much each test flags, how much of the good data fails, and what is found of what is
 * known to be bad. `known-bad.csv` lists that with the reason; all else counts as good.
 *
 * @throws ConfigError when the data is not there
 */
export async function evaluateQuality(context: EvaluationContext): Promise<Section> {
  const year = await readCityYear(context);
  const views = [...(await analysisViews({ cities: year.cities })), await knownBad()];
  const whole = await linesFile(context, "quality", year.rows);
  const parts = [
    await airports(context),
    await goodAndBad(context, whole, views),
    await byTest(context, year, views),
    await byCity(context, whole, views),
  ];
  return { title: "Quality control", markdown: parts.join("\n\n") };
}

/** Every row in one file, as the consumer writes them. */
async function linesFile(
  context: EvaluationContext,
  name: string,
  rows: readonly Row[],
): Promise<SnapshotFile> {
  const location = join(context.folder, `${name}.jsonl`);
  const writer = Bun.file(location).writer();
  for (const row of rows) writer.write(`${JSON.stringify(row)}\n`);
  await writer.end();
  const date = rows[0]?.timestamp.slice(0, 10) ?? "";
  return { location, format: "jsonl", date, rows: rows.length, revisions: 0 };
}

async function ask(
  { engine }: EvaluationContext,
  file: SnapshotFile,
  views: readonly SqlView[],
  sql: string,
): Promise<Record<string, unknown>[]> {
  return rowsOf(await engine.query(sql, { snapshot: { files: [file] }, views, background: true }));
}

/** `known-bad.csv` as a view: city or `*`, variable, valid_from and valid_to, both included. */
async function knownBad(): Promise<SqlView> {
  const [, ...lines] = (await Bun.file(join(import.meta.dir, "known-bad.csv")).text()).trim().split("\n");
  return valuesView(
    "known_bad",
    [
      ["city", "string"],
      ["variable", "string"],
      ["valid_from", "timestamp"],
      ["valid_to", "timestamp"],
    ],
    lines.map((line) => {
      const [city = "", variable = "", from = "", to = ""] = line.split(",");
      return [city, variable, Date.parse(from), Date.parse(to)];
    }),
  );
}

async function airports(context: EvaluationContext): Promise<string> {
  const [header = [], ...lines] = await readCsv(context, AIRPORTS.file);
  const at = (cells: readonly string[], name: string) => cells[header.indexOf(name)]?.trim() ?? "";
  const rows = lines.map((cells, log_offset): Row => {
    const wind = Number(at(cells, "wind_speed"));
    const timestamp = at(cells, "time_hour");
    return {
      timestamp,
      city: at(cells, "origin"),
      temperature: null,
      humidity: null,
      pressure: null,
      wind_speed: Number.isFinite(wind) ? wind * AIRPORTS.metresPerSecond : null,
      rainfall: null,
      weather_main: null,
      weather_description: null,
      source: "asos",
      log_offset,
      ingested_at: timestamp,
    };
  });
  const file = await linesFile(context, "airports", rows);
  const views = await analysisViews({ cities: [] });
  const found = await ask(
    context,
    file,
    views,
    "SELECT city, timestamp, wind_speed FROM quality WHERE wind_speed_flag = 4 ORDER BY timestamp, city",
  );
  const list = found.map(
    ({ city, timestamp, wind_speed: wind }) =>
      `${String(city)} ${String(timestamp)}, ${(Number(wind) / AIRPORTS.metresPerSecond).toFixed(0)} mph`,
  );
  context.log(`quality: of ${rows.length} winds at airports fail: ${list.join("; ") || "none"}`);
  return `Of ${rows.length} hourly winds of Newark and JFK fail: ${list.join("; ") || "none"}.`;
}

/** A report is bad where a variable of its is listed. */
const IS_BAD = `EXISTS (
  SELECT 1 FROM known_bad AS b
  WHERE (b.city = '*' OR b.city = q.city) AND q.timestamp >= b.valid_from AND q.timestamp <= b.valid_to
)`;

async function goodAndBad(
  context: EvaluationContext,
  file: SnapshotFile,
  views: readonly SqlView[],
): Promise<string> {
  // How far a bad pressure is off says whether it can be found by itself.
  const found = await ask(
    context,
    file,
    views,
    `WITH judged AS (
      SELECT q.city, q.flag, q.pressure_flag, ${IS_BAD} AS is_bad, abs(q.pressure - l.pressure_level) AS off
      FROM quality AS q
      LEFT JOIN levels AS l ON l.city = q.city AND l.source = q.source AND l.day = date_trunc('day', q.timestamp)
    )
    SELECT
      CASE
        WHEN NOT is_bad THEN 'good'
        WHEN city IN ('Albuquerque', 'Los Angeles') AND off > 30e0 THEN city
        WHEN off > 30e0 THEN 'elsewhere, more than 30 hPa off'
        ELSE 'anywhere, up to 30 hPa off'
      END AS what,
      count(*) AS n,
      count(CASE WHEN CASE WHEN is_bad THEN pressure_flag ELSE flag END = 4 THEN 1 END) AS failed,
      count(CASE WHEN CASE WHEN is_bad THEN pressure_flag ELSE flag END = 3 THEN 1 END) AS suspect
    FROM judged
    GROUP BY 1
    ORDER BY 1`,
  );
  const good = found.find(({ what }) => what === "good");
  const share = Number(good?.failed) / Number(good?.n);
  const verdict = share <= GOAL ? "within" : "ABOVE";
  const summary = `Of the ${Number(good?.n)} good reports ${Number(good?.failed)} fail a test: ${percent(share, 2)} %, ${verdict} the ${percent(GOAL, 1)} % that may.`;
  context.log(`quality: ${summary}`);
  const bad = found.filter(({ what }) => what !== "good");
  for (const { what, n, failed, suspect } of bad)
    context.log(
      `quality: known bad, ${String(what)}: ${Number(n)} hours, ${Number(failed)} failed, ${Number(suspect)} suspect`,
    );
  const table = markdownTable(
    ["known to be bad", "hours", "failed", "suspect", "missed"],
    bad.map(({ what, n, failed, suspect }) => [
      String(what),
      Number(n),
      Number(failed),
      Number(suspect),
      Number(n) - Number(failed) - Number(suspect),
    ]),
  );
  return `${summary} What is known to be bad is listed with its reason in \`jobs/evaluate/known-bad.csv\`: pressures at the station's height, in the same hours in many cities. Eilat, Haifa, Nahariyya and San Francisco alternate all year between two places whose pressures are 44 hPa (Eilat) and about 12 hPa apart; they count as good here.\n\n${table}`;
}

/** Each test by itself: the other variables are left out. */
async function byTest(
  context: EvaluationContext,
  year: CityYear,
  views: readonly SqlView[],
): Promise<string> {
  const counts = new Map<string, Record<string, unknown>>();
  for (const variable of ["temperature", "humidity", "pressure"] as const) {
    context.log(`quality: the tests of ${variable}`);
    const nothing = { temperature: null, humidity: null, pressure: null, wind_speed: null };
    const rows = year.rows.map((row): Row => ({ ...row, ...nothing, [variable]: row[variable] }));
    const file = await linesFile(context, `quality-${variable}`, rows);
    const tests = [...new Set(MEASURED.map(([test]) => test))];
    const columns = tests.flatMap((test) =>
      [3, 4].map((flag) => `count(CASE WHEN q_${test} = ${flag} THEN 1 END) AS ${test}_${flag}`),
    );
    const [found] = await ask(
      context,
      file,
      views,
      `SELECT count(${variable}) AS n, ${columns.join(", ")} FROM quality`,
    );
    counts.set(variable, found ?? {});
  }
  const rows = MEASURED.map(([test, variable, suspect, fail]) => {
    const found = counts.get(variable) ?? {};
    const share = (flag: number) => percent(Number(found[`${test}_${flag}`]) / Number(found.n), 3);
    return [`${test} of ${variable}`, share(3), suspect, share(4), fail];
  });
  return `In % of the reports, each variable by itself, beside the shares of an earlier measurement on another set of cities:\n\n${markdownTable(["test", "suspect", "before", "fail", "before"], rows)}`;
}

async function byCity(
  context: EvaluationContext,
  file: SnapshotFile,
  views: readonly SqlView[],
): Promise<string> {
  const tests = ["gross", "step", "spike", "stuck", "level"];
  const columns = tests.flatMap((test) =>
    [3, 4].map((flag) => `count(CASE WHEN q_${test} = ${flag} THEN 1 END) AS ${test}_${flag}`),
  );
  const found = await ask(
    context,
    file,
    views,
    `SELECT
      city,
      count(*) AS n,
      count(CASE WHEN flag = 3 THEN 1 END) AS flag_3,
      count(CASE WHEN flag = 4 THEN 1 END) AS flag_4,
      ${columns.join(", ")}
    FROM quality
    GROUP BY city
    ORDER BY city`,
  );
  const table = markdownTable(
    ["city", "reports", "suspect %", "fail %", ...tests],
    found.map((row) => [
      String(row.city),
      Number(row.n),
      percent(Number(row.flag_3) / Number(row.n), 2),
      percent(Number(row.flag_4) / Number(row.n), 2),
      ...tests.map((test) => `${Number(row[`${test}_3`])} / ${Number(row[`${test}_4`])}`),
    ]),
  );
  return `By city; of each test the reports that are suspect / fail:\n\n${table}`;
}

function percent(share: number, digits: number): string {
  return (100 * share).toFixed(digits);
}
