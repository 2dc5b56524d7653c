import { DuckDBInstance } from "@duckdb/node-api";

/** Opens a reader of compacted files, beside the program's own engine: the rows of a local file, with their times as text. */
export async function parquetReader(): Promise<(path: string) => Promise<Record<string, unknown>[]>> {
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  await connection.run("SET TimeZone = 'UTC'");
  return async (path) => {
    const reader = await connection.runAndReadAll(
      `SELECT * REPLACE (strftime("timestamp", '%Y-%m-%dT%H:%M:%SZ') AS "timestamp") FROM read_parquet('${path}')`,
    );
    return reader.getRowObjectsJson();
  };
}
