import { textTable } from "../../server/commands/command.ts";
import { runJson } from "./child.ts";
import { type BenchOptions, median, shown, times, withFolder } from "./measure.ts";
import { benchRecording } from "./recording.ts";

/** One run of `ingest-child.ts`. */
export interface IngestRun {
  what: "source" | "sqlite" | "files" | "isobar";
  records: number;
  cities: number;
  /** Files to write, where that is what is run. */
  files: number;
  /** An empty folder. */
  folder: string;
}

/** What a run brought. */
export interface IngestReport {
  records: number;
  /** Files written, entries of the chain included. */
  files: number;
  bytes: number;
  seconds: number;
}

const CITIES = 1_000;
const NAMES = {
  source: "simulator alone",
  sqlite: "simulator -> bare SQLite (WAL, FULL, 1,000 a transaction)",
  files: "simulator -> bare files (written, synced, renamed)",
  isobar: "simulator -> log -> committed lake",
} as const;

/** Flat out from a source to the committed lake, beside the parts it stands on; then a recording, where one is named. */
export async function benchIngest(options: BenchOptions): Promise<void> {
  const { quick, print, file } = options;
  const records = quick ? 100_000 : 500_000;
  const rounds = quick ? 1 : 3;
  const runs: Record<IngestRun["what"], IngestReport[]> = { source: [], sqlite: [], files: [], isobar: [] };
  for (let round = 0; round < rounds; round++) {
    // The lake first: the bare files are as many as it wrote.
    for (const what of ["isobar", "files", "sqlite", "source"] as const) {
      const files = runs.isobar.at(-1)?.files ?? 0;
      const run = await withFolder((folder) =>
        runJson<IngestReport>("ingest-child.ts", { what, records, cities: CITIES, files, folder }),
      );
      runs[what].push(run);
    }
  }
  const rate = (what: IngestRun["what"]) => median(runs[what].map((run) => run.records / run.seconds));
  print(
    `Ingest, flat out: ${shown(records)} hourly records of ${shown(CITIES)} cities, median of ${rounds}, each in a process of its own\n`,
  );
  print(
    textTable(
      ["what", "records/s", "s", "files", "MB", "the lake's rate to it"],
      (Object.keys(NAMES) as IngestRun["what"][]).map((what) => [
        NAMES[what],
        shown(rate(what)),
        shown(median(runs[what].map((run) => run.seconds))),
        shown(median(runs[what].map((run) => run.files))),
        shown(median(runs[what].map((run) => run.bytes)) / 1e6),
        times(rate("isobar"), rate(what)),
      ]),
    ),
  );
  print("");
  if (file !== null) await benchRecording(file, options);
}
