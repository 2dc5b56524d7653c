import { basename } from "node:path";
import { systemClock } from "../../core/clock.ts";
import { ConfigError } from "../../core/errors.ts";
import { normalName } from "../../core/city-name.ts";
import { plainText, withChecksum } from "../../core/slug.ts";
import { claimDataset } from "../../jobs/dataset.ts";
import { readRecords, replayPace } from "../../jobs/sources/replay.ts";
import { loadRecords, type LoadReport } from "../wiring/bulk-load.ts";
import { datasetLake } from "../wiring/lakes.ts";
import { openPorts } from "../wiring/ports.ts";
import { lockRoles } from "../wiring/role-locks.ts";
import { runCommand, type CommandContext } from "./command.ts";

const USAGE = `Plays recorded observations into a data set of their own, at N times real time or flat out.

  bun run replay FILE --dataset NAME [--speed N] [--source NAME]

  FILE            .jsonl, .csv (both also .gz), or OpenWeatherMap's bulk-history CSV
  --dataset NAME  where to: made when it is not there; letters a–z, digits and hyphens
  --speed N       times real time; without it as fast as it goes
  --source NAME   who reported them, where the file does not say (default: the file's name)

Look at it with:  WEATHER_SOURCE=none DATASET=NAME bun run dev
Exit: 0 when every record is committed, 1 otherwise, 2 a wrong call.`;

if (import.meta.main) {
  await runCommand(
    USAGE,
    { dataset: { type: "string" }, speed: { type: "string" }, source: { type: "string" } },
    async (context) => {
      const { words, options, signal } = context;
      const [file] = words;
      if (file === undefined || words.length > 1)
        throw new ConfigError("bad_setting", `Cannot replay ${words.length} files: wanted one\n\n${USAGE}`);
      const dataset = datasetNamed(options.dataset);
      const speed = options.speed === undefined ? Infinity : Number(options.speed);
      if (!(speed > 0))
        throw new ConfigError(
          "bad_setting",
          `Cannot replay at --speed ${String(options.speed)}: wanted a number above 0`,
        );
      const source = sourceNamed(options.source, file);
      const chunks = replayPace(readRecords(file, { source }), { speed, clock: systemClock, signal });
      const report = await loadInto(context, dataset, "replayed", chunks);
      process.stdout.write(`${describeLoad(dataset, report)}\n`);
      return signal.aborted ? 1 : 0;
    },
  );
}

/** The data set an option names. */
export function datasetNamed(option: unknown): string {
  if (typeof option !== "string" || !/^[a-z0-9-]{1,40}$/.test(option)) {
    throw new ConfigError(
      "bad_setting",
      `Cannot use --dataset ${JSON.stringify(option ?? null)}: wanted 1 to 40 of a–z, 0–9 and -`,
    );
  }
  return option;
}

/** The source that observations without one are given: the option, else the file's name in ASCII. */
export function sourceNamed(option: unknown, file: string): string {
  if (typeof option === "string") return option;
  const name = normalName(basename(file).replace(/\.(jsonl|csv)(\.gz)?$/, ""));
  const { text, isWhole } = plainText(name);
  return isWhole && text !== "" ? text : withChecksum(text || "file", name);
}

/** Loads records into a data set that no server is working on. */
export async function loadInto(
  { config, logger, signal }: CommandContext,
  dataset: string,
  kind: "observed" | "replayed",
  chunks: Parameters<typeof loadRecords>[0]["chunks"],
): Promise<LoadReport> {
  const deps = { clock: systemClock, logger };
  const place = datasetLake(config, dataset, deps);
  const lock = await lockRoles(config, dataset, place, ["producer", "consumer"]);
  try {
    const ports = await openPorts(config, dataset, deps, { lake: await place.open() });
    try {
      await claimDataset(ports.lake, dataset, kind, systemClock.now());
      const progress = (records: number) => logger.info("loading", { records });
      return await loadRecords({ ports, config, ...deps, chunks, signal, progress });
    } finally {
      await ports.close();
    }
  } finally {
    lock.release();
  }
}

/** What a load brought, for people. */
export function describeLoad(dataset: string, report: LoadReport): string {
  const { records, rows, duplicates, rejected, seconds } = report;
  return [
    `${records} records into the data set "${dataset}": ${rows} rows, ${duplicates} duplicates, ${rejected} rejected`,
    `${seconds.toFixed(1)} s, ${Math.round(records / seconds)} records/s from the file to the committed lake`,
  ].join("\n");
}
