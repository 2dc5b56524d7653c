import { DuckDBInstance } from "@duckdb/node-api";
import { textTable } from "../../server/commands/command.ts";
import { run, startServer } from "./child.ts";
import { type BenchOptions, shown, until, withFolder } from "./measure.ts";
import { largestDifference, statisticsOf } from "./statistics.ts";

const DATASET = "recording";

/**
 * Loads a recording flat out with the real commands: once, then again (nothing but duplicates), then the proof. Beside it
 * the lake is checked by code that shares nothing with the program.
 */
export async function benchRecording(file: string, { print }: BenchOptions): Promise<void> {
  await withFolder(async (folder) => {
    const env = { DATA_DIR: folder };
    const replay = () => run("server/commands/replay.ts", [file, "--dataset", DATASET], env);
    const first = await replay();
    const second = await replay();
    const proof = await run("server/commands/verify.ts", ["--dataset", DATASET], env);
    print(`The recording ${file}, by the command line\n`);
    const line = (what: string, { output, code, seconds }: typeof first) => [
      what,
      shown(seconds),
      String(code),
      output.trim().replaceAll("\n", "; "),
    ];
    print(
      textTable(
        ["command", "s in all", "exit", "what it says"],
        [
          line("replay", first),
          line("replay again", second),
          ["verify", shown(proof.seconds), String(proof.code), proof.output.trim().split("\n").at(-1) ?? ""],
        ],
      ),
    );
    const { output } = await run("server/commands/verify.ts", ["--dataset", DATASET, "--files"], env);
    const files = output.trim().split("\n");
    print(`\n${shown(await countRows(files))} rows counted in ${shown(files.length)} committed files`);
    await checkStatistics(file, folder, print);
    print("");
  });
}

/** Rows of the files: line feeds in JSON lines, and what DuckDB itself counts in Parquet. */
async function countRows(files: readonly string[]): Promise<number> {
  let rows = 0;
  for (const path of files.filter((name) => name.endsWith(".jsonl"))) {
    for (const byte of await Bun.file(path).bytes()) if (byte === 10) rows++;
  }
  const parquet = files.filter((name) => name.endsWith(".parquet"));
  if (parquet.length === 0) return rows;
  const connection = await (await DuckDBInstance.create(":memory:")).connect();
  const list = parquet.map((path) => `'${path.replaceAll("'", "''")}'`).join(", ");
  const counted = await connection.runAndReadAll(`SELECT count(*) FROM read_parquet([${list}])`);
  connection.closeSync();
  return rows + Number(counted.getRows()[0]?.[0]);
}

/** Holds the statistics that the API serves against those computed from the file. */
async function checkStatistics(file: string, folder: string, print: (text: string) => void): Promise<void> {
  const wanted = await statisticsOf(file);
  if (wanted === null) return print("The statistics are not checked: that takes a file of JSON lines");
  const server = await startServer("program-child.ts", {
    DATA_DIR: folder,
    DATASET,
    WEATHER_SOURCE: "none",
    ROLES: "analytics,web",
  });
  try {
    const { rows, result } = await until("the statistics", 60, async () => {
      const answer = (await (await fetch(`${server.url}/api/v1/statistics`)).json()) as {
        rows: Record<string, unknown>[];
        result: { duration_ms: number; rows_read: number } | null;
      };
      return answer.result === null ? null : { rows: answer.rows, result: answer.result };
    });
    const { difference, unequal, compared } = largestDifference(rows, wanted);
    print(
      `city_statistics over ${shown(result.rows_read)} rows in ${shown(result.duration_ms)} ms: ${compared} values of ` +
        `${wanted.length} cities compared with an independent computation over the file, largest relative difference ` +
        `${difference.toExponential(1)}, ${unequal} unequal`,
    );
  } finally {
    await server.stop();
  }
}
