import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { benchAnalytics } from "./analytics.ts";
import { benchApi } from "./api.ts";
import { benchClients } from "./clients.ts";
import { benchHdfs } from "./hdfs.ts";
import { benchIngest } from "./ingest.ts";
import { benchKafka } from "./kafka.ts";
import { benchLive } from "./live.ts";
import type { BenchOptions } from "./measure.ts";
import { benchMemory } from "./memory.ts";
import { benchPages } from "./pages.ts";
import { benchSpark } from "./spark.ts";
import { benchWeek } from "./week.ts";

const SUBJECTS: Readonly<Record<string, (options: BenchOptions) => Promise<void>>> = {
  ingest: benchIngest,
  live: benchLive,
  api: benchApi,
  memory: benchMemory,
  week: benchWeek,
};
/** These start real servers, and run only where they are named. */
const CLUSTER_SUBJECTS: typeof SUBJECTS = { kafka: benchKafka, hdfs: benchHdfs, spark: benchSpark };
/** These take long, and run only where they are named. */
const LONG_SUBJECTS: typeof SUBJECTS = {
  analytics: benchAnalytics,
  clients: benchClients,
  pages: benchPages,
};
const ALL = { ...SUBJECTS, ...LONG_SUBJECTS, ...CLUSTER_SUBJECTS };

const USAGE = `Measures the program beside the bare libraries it stands on, in the same run.

  bun run bench [SUBJECT…] [--quick] [--file PATH]

  SUBJECT      ${Object.keys(SUBJECTS).join(", ")} (default: all of these);
               analytics: the analytic jobs over a year of 1,000 cities, beside polars where the Python in
               ISOBAR_PYTHON has it;
               clients: 5,000 clients of the live feed; pages: the pages in Chromium;
               ${Object.keys(CLUSTER_SUBJECTS).join(", ")}: on real servers (Java 17, Maven)
  --quick      less of everything: about a minute
  --file PATH  a recording to load as well (with ingest): .jsonl or .csv, also .gz

There is no pass or fail: machines differ and are busy, so read the ratios. docs/benchmarks.md says what is measured.`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: "boolean" }, file: { type: "string" }, help: { type: "boolean" } },
});
const unknown = positionals.filter((name) => !(name in ALL));
if (values.help === true || unknown.length > 0) {
  if (unknown.length > 0) process.stderr.write(`There is no subject ${unknown.join(", ")}.\n\n`);
  process.stdout.write(`${USAGE}\n`);
  process.exit(unknown.length > 0 ? 2 : 0);
}
const options: BenchOptions = {
  quick: values.quick === true,
  file: values.file ?? null,
  print: (text) => void process.stdout.write(`${text}\n`),
};
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(1));
options.print(
  `Bun ${Bun.version}, ${availableParallelism()} cores, ${process.platform} ${process.arch}, ${new Date().toISOString().slice(0, 10)}\n`,
);
for (const name of positionals.length > 0 ? positionals : Object.keys(SUBJECTS)) {
  await ALL[name]?.(options);
}
