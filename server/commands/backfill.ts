import { systemClock } from "../../core/clock.ts";
import { ConfigError } from "../../core/errors.ts";
import { describe } from "../../core/observation.ts";
import { DAY_MS, parseTimestamp } from "../../core/time.ts";
import { type Block, fetchBlocks, missingBlocks, storedHours } from "../../jobs/backfill.ts";
import { LakeReader } from "../../jobs/readers/lake-reader.ts";
import { ARCHIVE } from "../../jobs/sources/sources.ts";
import { datasetLake } from "../wiring/lakes.ts";
import { openPorts } from "../wiring/ports.ts";
import { type CommandContext, runCommand } from "./command.ts";
import { deliver } from "./deliver.ts";
import { datasetNamed } from "./replay.ts";

const USAGE = `Fetches hourly weather of the past from Open-Meteo's archive into the observed data, for every configured city.

  bun run backfill [--days N | --from DATE --to DATE] [--dataset NAME]

  --days N        the last N days before today (default: BACKFILL_DAYS, or 60 where that is 0)
  --from DATE, --to DATE
                  the first and the last day, in UTC: 2026-01-31
  --dataset NAME  where to (default: DATASET, else "observed")

Days that are there already are not fetched again, so that an interrupted call can be repeated. It keeps to the calls that
Open-Meteo allows a day, and waits where they are used up. While the archive is away it waits and tries again.

Exit: 0 what the archive has is kept, 1 otherwise, 2 a wrong call.`;

/** The oldest day of the archive (ERA5). */
const OLDEST = Date.UTC(1940, 0, 1);
const DEFAULT_DAYS = 60;
const MOST_DAYS = 36_500;

if (import.meta.main) {
  const options = {
    days: { type: "string" },
    from: { type: "string" },
    to: { type: "string" },
    dataset: { type: "string" },
  } as const;
  await runCommand(USAGE, options, async (context) => {
    const { config, logger, words, options, signal } = context;
    if (words.length > 0)
      throw new ConfigError("bad_setting", `Cannot backfill "${words[0]}": wanted --days N\n\n${USAGE}`);
    const dataset = datasetNamed(options.dataset ?? config.dataset ?? "observed");
    const { from, to } = backfillPeriod(options, config.backfillDays, systemClock.now());
    const blocks = await missing(context, dataset, from, to);
    if (blocks.length === 0) {
      process.stdout.write(`Every hour of these days is in the data set "${dataset}" already\n`);
      return 0;
    }
    logger.info("Fetching the past", { calls: blocks.length, cities: config.cities.length });
    const chunks = fetchBlocks(blocks, {
      archive: ARCHIVE.open(config, { clock: systemClock }),
      clock: systemClock,
      logger,
      signal,
      running: () => {},
      waiting: (reason) => logger.info("Waiting", { reason }),
    });
    return deliver(context, dataset, chunks);
  });
}

/** What of these days is not in the lake yet. */
async function missing(
  { config, logger }: CommandContext,
  dataset: string,
  from: number,
  to: number,
): Promise<Block[]> {
  const deps = { clock: systemClock, logger };
  const known = await datasetLake(config, dataset, deps).kind();
  if (known === null) return missingBlocks(config.cities, new Map(), from, to);
  const { lake, log, reads, close } = await openPorts(config, dataset, deps);
  try {
    const reader = new LakeReader(lake, log.topic, () => systemClock.now());
    return missingBlocks(config.cities, await storedHours(reader, reads, from, to), from, to);
  } finally {
    await close();
  }
}

/**
 * The days asked for, as beginnings of UTC days, `to` exclusive. Today is not over, and the archive has none of it.
 *
 * @throws ConfigError naming what is wrong
 */
export function backfillPeriod(
  options: CommandContext["options"],
  defaultDays: number,
  now: number,
): { from: number; to: number } {
  const wrong = (what: string) => new ConfigError("bad_setting", `Cannot backfill: ${what}`);
  const today = Math.floor(now / DAY_MS) * DAY_MS;
  const { days, from, to } = options;
  if (from === undefined && to === undefined) {
    const count = days === undefined ? defaultDays || DEFAULT_DAYS : Number(days);
    if (!Number.isInteger(count) || count < 1 || count > MOST_DAYS) {
      throw wrong(`--days is ${describe(days)}, wanted a whole number from 1 to ${MOST_DAYS}`);
    }
    return { from: Math.max(OLDEST, today - count * DAY_MS), to: today };
  }
  if (days !== undefined) throw wrong("wanted --days, or --from and --to");
  const day = (name: string, option: unknown) => {
    const isDate = typeof option === "string" && /^\d{4}-\d{2}-\d{2}$/.test(option);
    const ms = isDate ? parseTimestamp(`${option}T00:00:00Z`) : NaN;
    if (!(ms >= OLDEST && ms < today)) {
      throw wrong(
        `--${name} is ${describe(option)}, wanted a day such as 2026-01-31, from 1940-01-01 to yesterday`,
      );
    }
    return ms;
  };
  const range = { from: day("from", from), to: day("to", to) + DAY_MS };
  if (range.from >= range.to) throw wrong("--to is before --from, wanted the last day");
  return range;
}
