import { systemClock } from "../../core/clock.ts";
import { ConfigError } from "../../core/errors.ts";
import { describe } from "../../core/observation.ts";
import { newId } from "../../core/random.ts";
import type { OffsetSpan, RetractionReport } from "../../jobs/retract.ts";
import { retract } from "../../jobs/retract.ts";
import type { Ports } from "../wiring/ports.ts";
import { openDataset, runCommand } from "./command.ts";

const USAGE = `Takes back what an import brought: the rows of a source in a range of the log's offsets count no more, and what they had
revised stands again. Nothing is deleted: log and files keep every record, and the page Why? shows the retracted ones.
A running program takes it up by itself.

  bun run retract --source NAME --offsets FIRST-LAST --reason TEXT [--dataset NAME]
  bun run retract --source NAME --offsets FIRST-LAST --dry-run [--dataset NAME]

  --source NAME         whose rows
  --offsets FIRST-LAST  where they lie in the log, as \`bun run import\` says at its end; several are joined by commas, and
                        where the log has several partitions each names its own: 0:120-9300,1:88-7004
  --reason TEXT         why, for those who ask later
  --dry-run             only says what would be retracted
  --dataset NAME        the data set (default: DATASET, else "observed" or "simulated", whichever is there)

Exit: 0 when it is retracted, or was already, 1 when not, 2 a wrong call.`;

/** A range of offsets of one partition, inclusive. */
export interface PartitionRange {
  partition: number;
  first: number;
  last: number;
}

if (import.meta.main) {
  const text = { type: "string" } as const;
  const options = {
    source: text,
    offsets: text,
    reason: text,
    dataset: text,
    "dry-run": { type: "boolean" },
  } as const;
  await runCommand(USAGE, options, async ({ config, logger, words, options }) => {
    const { source, reason } = options;
    const isDry = options["dry-run"] === true;
    if (words.length > 0 || typeof source !== "string" || source === "") {
      throw new ConfigError("bad_setting", `Cannot retract: wanted --source NAME\n\n${USAGE}`);
    }
    const ranges = readRanges(options.offsets);
    if (!isDry && (typeof reason !== "string" || reason.trim() === "")) {
      throw new ConfigError("bad_setting", "Cannot retract: wanted --reason TEXT, or --dry-run");
    }
    const named = typeof options.dataset === "string" ? options.dataset : config.dataset;
    const ports = await openDataset("retract", named, { config, logger });
    try {
      const one = (range: PartitionRange, why: string | null) => retractFrom(ports, source, range, why);
      // All are looked at first: one that cannot be retracted leaves the others as they are.
      const reports: RetractionReport[] = [];
      for (const range of ranges) reports.push(await one(range, null));
      const isRefused = reports.some(({ joined }) => joined !== null);
      for (let i = 0; i < ranges.length && !isDry && !isRefused; i++) {
        if (reports[i]!.fresh > 0) reports[i] = await one(ranges[i]!, String(reason));
      }
      process.stdout.write(`${reports.map((report) => describeRetraction(report, { isDry })).join("\n")}\n`);
      return reports.some(({ joined }) => joined !== null) ? 1 : 0;
    } finally {
      await ports.close();
    }
  });
}

function retractFrom(
  { log, lake, reads }: Ports,
  source: string,
  { partition, first, last }: PartitionRange,
  reason: string | null,
): Promise<RetractionReport> {
  if (partition >= log.partitions) {
    throw new ConfigError(
      "bad_setting",
      `Cannot retract from partition ${partition}: the log has ${log.partitions}, counted from 0`,
    );
  }
  const chain = { lake, topic: log.topic, partition, newId, now: () => systemClock.now() };
  return retract({ chain, log, engine: reads }, { source, first, last }, { reason });
}

/** Reads `--offsets`. @throws ConfigError */
export function readRanges(option: unknown): PartitionRange[] {
  const ranges = typeof option === "string" ? option.split(",") : [];
  const read = ranges.map((range) => {
    const match = /^\s*(?:(\d{1,6}):)?(\d{1,15})-(\d{1,15})\s*$/.exec(range);
    const [first, last] = [Number(match?.[2]), Number(match?.[3])];
    if (match === null || last < first) {
      throw new ConfigError(
        "bad_setting",
        `Cannot use --offsets ${describe(option)}: wanted FIRST-LAST such as 120-9300, or 0:120-9300,1:88-7004`,
      );
    }
    return { partition: Number(match[1] ?? 0), first, last };
  });
  if (read.length > 0) return read;
  throw new ConfigError("bad_setting", `Cannot retract: wanted --offsets FIRST-LAST\n\n${USAGE}`);
}

/** Ranges as `--offsets` takes them. */
export function rangesText(ranges: readonly PartitionRange[]): string {
  const isPlain = ranges.every(({ partition }) => partition === 0);
  return ranges
    .map(({ partition, first, last }) => `${isPlain ? "" : `${partition}:`}${first}-${last}`)
    .join(",");
}

/** A command for a shell that retracts the rows of a source in some ranges; the reason is left to be said. */
export function retractCommand(source: string, ranges: readonly PartitionRange[], dataset: string): string {
  const name = /^[\w:.@/-]+$/.test(source) ? source : `'${source.replaceAll("'", `'\\''`)}'`;
  return `bun run retract --source ${name} --offsets ${rangesText(ranges)} --dataset ${dataset} --reason "…"`;
}

/** What a retraction did, or would do, for people. */
export function describeRetraction(report: RetractionReport, { isDry }: { isDry: boolean }): string {
  const { partition, range, rows, fresh, cities, from, to, joined, duplicates, committed } = report;
  const where = `offsets ${range.first}–${range.last} of partition ${partition}`;
  const what = `${rows} rows of ${range.source} at ${where}, ${cities} ${cities === 1 ? "city" : "cities"}, observed from ${from} to ${to}`;
  if (fresh === 0) return `Retracted already: ${what}`;
  if (joined !== null) {
    const later = rangesText([{ partition, first: joined.first, last: joined.last }]);
    return [
      `Not retracted: ${what}`,
      `${spanOf(joined)} hold values of them: a later record of the same observation was joined with each.`,
      `Retract the later ones first (--source ${range.source} --offsets ${later}), then these, then import again what is right.`,
    ].join("\n");
  }
  const already = fresh === rows ? "" : `; ${rows - fresh} of them were retracted before`;
  const lines = [`${committed === null && isDry ? "Would be retracted" : "Retracted"}: ${what}${already}`];
  if (duplicates !== null) {
    lines.push(
      `${spanOf(duplicates)} said the same and were counted as duplicates of them, so nothing of them is left: import again what brought them.`,
    );
  }
  return lines.join("\n");
}

function spanOf({ count, first, last }: OffsetSpan): string {
  return `${count} later records (offsets ${first}–${last})`;
}
