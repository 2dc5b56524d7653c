import { join } from "node:path";
import { formatTimestamp } from "../../../core/time.ts";
import { runJava } from "../../../deploy/cluster/java-process.ts";
import { SPARK_JVM } from "../../../deploy/cluster/spark.ts";
import type { TestCluster } from "./cluster.ts";

/** How long a session may take from its start to its end, ms. */
const TIMEOUT_MS = 300_000;

/**
 * Runs a SELECT in a plain Spark SQL session of its own (`PlainSql.java`), the stand-in for `spark-sql`, which is not
 * published as a jar.
 *
 * @param paths of the files whose rows are the view `rows`
 * @returns the rows of the result
 */
export async function plainSql(
  { folder, spark }: TestCluster,
  paths: readonly string[],
  sql: string,
): Promise<Record<string, unknown>[]> {
  const [pathsFile, sqlFile] = [join(folder, "plain-paths"), join(folder, "plain.sql")];
  await Bun.write(pathsFile, paths.join("\n"));
  await Bun.write(sqlFile, sql);
  const settings = {
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.local.dir": join(folder, "plain-tmp"),
    "spark.sql.jsonGenerator.ignoreNullFields": false,
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.shuffle.partitions": 4,
    "spark.sql.sources.parallelPartitionDiscovery.parallelism": 4,
    "spark.ui.enabled": false,
  };
  const { code, out, err } = await runJava(
    {
      jars: spark.jars,
      configuration: [join(folder, "spark", "conf")],
      jvm: ["-Xmx1g", ...SPARK_JVM, ...Object.entries(settings).map(([name, value]) => `-D${name}=${value}`)],
      main: join(import.meta.dir, "PlainSql.java"),
      args: [pathsFile, sqlFile],
      cwd: folder,
      env: { SPARK_LOCAL_IP: "127.0.0.1", HADOOP_USER_NAME: "isobar" },
    },
    TIMEOUT_MS,
  );
  if (code !== 0)
    throw new Error(`A plain Spark SQL session ended with ${code} (a JDK is wanted): ${err.slice(-2000)}`);
  return out
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line, asTheProgramWritesTimes) as Record<string, unknown>);
}

function asTheProgramWritesTimes(_: string, value: unknown): unknown {
  const isTime = typeof value === "string" && /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value);
  return isTime ? formatTimestamp(Date.parse(value)) : value;
}

/** What the tests compare of each city, in the dialect of both engines: counts, sums, the least and the greatest. */
export function totalsSql(observations: string): string {
  const measures = ["temperature", "humidity", "pressure", "wind_speed", "rainfall"];
  const columns = measures.flatMap((name) =>
    ["count", "sum", "min", "max"].map((what) => `${what}(${name}) AS ${name}_${what}`),
  );
  return `SELECT city, count(*) AS n, min(timestamp) AS first_timestamp, max(timestamp) AS last_timestamp,
    ${columns.join(", ")}
    FROM ${observations} GROUP BY city ORDER BY city`;
}

/** Of each observation in the view `rows` the newest revision, as docs/lake-format.md says. */
export const NEWEST = `(SELECT * FROM (
    SELECT *, row_number() OVER (PARTITION BY source, city, timestamp ORDER BY log_offset DESC) AS place FROM rows
  ) AS placed WHERE place = 1) AS observations`;
