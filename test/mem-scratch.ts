import { analysisViews } from "/work/main/spark/views.ts";
import { DuckDBInstance } from "@duckdb/node-api";
import { observationsSql } from "/work/main/spark/observations-view.ts";
import { readFileSync, readdirSync } from "node:fs";
const dir = readdirSync("/tmp/anom")
  .filter((n) => n.startsWith("ev-"))
  .map((n) => `/tmp/anom/${n}/clean`)
  .find((d) => {
    try {
      return readdirSync(d).length > 40;
    } catch {
      return false;
    }
  })!;
const files = readdirSync(dir)
  .sort()
  .slice(20, 51)
  .map((n) => ({
    location: `${dir}/${n}`,
    format: "parquet" as const,
    date: n.slice(0, 10),
    rows: 1,
    revisions: 0,
  }));
const inst = await DuckDBInstance.create(":memory:", { threads: "2" });
const c = await inst.connect();
await c.run("CREATE TEMP MACRO unix_micros(t) AS epoch_us(t)");
await c.run("SET TimeZone='UTC'");
await c.run(`CREATE TEMP TABLE observations AS ${observationsSql({ files })}`);
const rep = Number(process.argv[2] ?? 1);
if (rep > 1)
  await c.run(
    `CREATE OR REPLACE TEMP TABLE observations AS SELECT * REPLACE (city || k AS city) FROM observations, range(${rep}) r(k)`,
  );
for (const v of await analysisViews({ cities: [] })) {
  if (v.name === "quality")
    await c.run("CREATE TEMP VIEW quality AS SELECT *, 1 AS temperature_flag, 1 AS flag FROM observations");
  else
    try {
      await c.run(`CREATE TEMP VIEW ${v.name} AS ${v.sql}`);
    } catch (e) {
      console.log(v.name, String(e).slice(0, 100));
    }
}
const text = readFileSync("spark/baseline.sql", "utf8");
const i = text.lastIndexOf("SELECT\n  city,");
const run = async (n: string, q: string) => {
  for (let k = 0; k < 2; k++) {
    const s = process.cpuUsage(),
      t = performance.now();
    await c.runAndReadAll(q);
    const d = process.cpuUsage(s);
    if (k)
      console.log(
        n.padEnd(14),
        "wall",
        (performance.now() - t).toFixed(0),
        "cpu",
        ((d.user + d.system) / 1000).toFixed(0),
      );
  }
};
console.log((await c.runAndReadAll("SELECT count(*) FROM observations")).getRows());
for (const stop of ["season", "hours", "neighbours", "slopes", "departures", "steps", "spreads", "usual"])
  await run(
    stop,
    text.slice(0, i) +
      `SELECT count(*), max(x::varchar) FROM (SELECT * FROM ${stop}) AS x`.replace(
        "max(x::varchar)",
        "sum(hash(x))",
      ),
  );
await run("all", text);
await run("anomaly", "SELECT sum(hash(a)) FROM anomaly a");
process.exit(0);
