import { systemClock } from "../../core/clock.ts";
import { ConfigError } from "../../core/errors.ts";
import { describe } from "../../core/observation.ts";
import { newId } from "../../core/random.ts";
import { HOUR_MS } from "../../core/time.ts";
import { fold } from "../../jobs/commits/fold.ts";
import { placeOf } from "../../jobs/commits/names.ts";
import { compactPartition, GRACE_MS } from "../../jobs/compactor.ts";
import { isJudgedBy, type Judging, judgingBy, judgingMark } from "../../spark/judging.ts";
import { placeViews } from "../config/place-views.ts";
import type { Ports } from "../wiring/ports.ts";
import { openDataset, runCommand } from "./command.ts";

const USAGE = `Judges the closed days that have no quality flags in their file, which a running program does by itself; or, after limits,
SQL or places were changed, also those whose flags another judging made. Until then the flags of such days are computed
whenever they are asked for. The values stay as they are. It can be stopped and called again: what is done is done, and it
may run beside the program.

  bun run judge [--again] [--from DAY] [--to DAY] [--dataset NAME]

  --again               also days whose flags another judging made, or with other places
  --from DAY, --to DAY  only these days, both included: 2026-01-31 (default: all)
  --dataset NAME        the data set (default: DATASET, else "observed" or "simulated", whichever is there)

Exit: 0 when it is done, 1 when it was stopped or failed, 2 a wrong call.`;

const DAY = /^\d{4}-\d{2}-\d{2}$/;

if (import.meta.main) {
  const text = { type: "string" } as const;
  const options = { again: { type: "boolean" }, from: text, to: text, dataset: text } as const;
  await runCommand(USAGE, options, async ({ config, logger, words, options, signal }) => {
    if (words.length > 0) throw new ConfigError("bad_setting", `Cannot judge "${words[0]}"\n\n${USAGE}`);
    const days = {
      first: dayOf("--from", options.from, "0000-01-01"),
      last: dayOf("--to", options.to, "9999-12-31"),
    };
    const named = typeof options.dataset === "string" ? options.dataset : config.dataset;
    const ports = await openDataset("judge", named, { config, logger });
    try {
      const judging = judgingBy(await placeViews(config));
      const rules = {
        afterMs: config.compactAfterHours * HOUR_MS,
        days,
        ...(options.again === true ? { again: judgingMark(judging) } : {}),
      };
      let judged = 0;
      for (let partition = 0; partition < ports.log.partitions && !signal.aborted; partition++) {
        const chain = { ...chainOf(ports, partition), now: () => systemClock.now() };
        const { report } = await compactPartition(
          chain,
          { engine: ports.reads, judging },
          {
            ...rules,
            graceMs: GRACE_MS,
            signal,
            progress: (done) => logger.info("judging", { partition, days: done.judged }),
          },
        );
        judged += report.judged;
      }
      const { standing, others, open } = await daysOf(ports, judging);
      process.stdout.write(
        `${judged} days judged. Flags are kept for ${standing} days; ${others} have those of another judging, ${open} none yet\n`,
      );
      return signal.aborted ? 1 : 0;
    } finally {
      await ports.close();
    }
  });
}

function dayOf(option: string, value: unknown, fallback: string): string {
  if (value === undefined) return fallback;
  if (typeof value === "string" && DAY.test(value) && isDay(value)) return value;
  throw new ConfigError(
    "bad_setting",
    `Cannot use ${option} ${describe(value)}: wanted a day such as 2026-01-31`,
  );
}

/** Whether there is such a day: 30 February is none. */
function isDay(text: string): boolean {
  const ms = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text);
}

function chainOf({ lake, log }: Ports, partition: number) {
  return { lake, topic: log.topic, partition, newId };
}

/** How many days of the lake have flags that stand, of this judging and of others, and how many have none. */
async function daysOf(
  { lake, log }: Ports,
  { version }: Judging,
): Promise<{ standing: number; others: number; open: number }> {
  const days = new Map<string, (string | undefined)[]>();
  for (let partition = 0; partition < log.partitions; partition++) {
    for (const { path, judged } of (await fold(lake, log.topic, partition)).live.values()) {
      const { date } = placeOf(path);
      days.set(date, [...(days.get(date) ?? []), judged]);
    }
  }
  const kept = [...days.values()].filter((marks) => marks.every((mark) => mark !== undefined));
  const standing = kept.filter((marks) => marks.every((mark) => isJudgedBy(mark, version))).length;
  return { standing, others: kept.length - standing, open: days.size - kept.length };
}
