import { DAY_MS, HOUR_MS } from "../core/time.ts";
import { unknownColumns } from "../spark/file-columns.ts";
import { JUDGED_AFTER_MS } from "../spark/judging.ts";
import type { ChainState, LiveFile } from "./commits/fold.ts";
import { filesWithin, spanOf, windowOf } from "./commits/judged-window.ts";
import { dayFolder, hourFolder, placeOf } from "./commits/names.ts";

/** An hour that is still open is compacted when it has this many files: a quick stream stays quick to read. */
const OPEN_HOUR_FILES = 32;
/** Late data that goes on coming does not hold up a closed day for longer than this many files. */
const LATE_FILES = 8;
/** Rows that are judged at once: days together cost little more than one of them. */
const JUDGED_ROWS = 500_000;
/** A day of more rows than this stays in files of an hour each. */
const DAY_ROWS = 5_000_000;

/** Live files to be replaced by one, all of one folder's day or hour. */
export interface CompactionPlan {
  /** Folder of the output. */
  folder: string;
  inputs: LiveFile[];
  /** Whether the output holds the flags of its rows: the time is over in which they may change. */
  judge: boolean;
}

/** When something is due. */
export interface CompactionRules {
  /** How long after its end an hour or day counts as closed, ms. */
  afterMs: number;
  /**
   * The newest sequence at the look before this one: late data after it has just come, and more may follow. Default: what is there
   * counts as settled.
   */
  settled?: number;
  /** The mark of the present judging: flags of another are computed anew. Default: they are left as they are. */
  again?: string;
  /** Only these days, the first and the last: `2026-01-31`. Default: all. */
  days?: { first: string; last: string };
}

/**
 * Which live files are worth compacting: a closed day into one file with its flags, else a closed hour (or an open one of very
 * many files) into one without. A closed day whose flags stand no more is written anew.
 *
 * Closed is measured by the partition's own watermark, so that an old stream that is replayed closes its hours as it goes.
 *
 * A file with a column that this program does not know stays as it is: what the engine writes would lack the column.
 */
export function planCompactions(state: ChainState, rules: CompactionRules): CompactionPlan[] {
  if (state.watermark === null) return [];
  const closedBefore = Date.parse(state.watermark) - rules.afterMs;
  const known = [...state.live.values()].filter((file) => unknownColumns([file]).length === 0);
  const plans: CompactionPlan[] = [];
  for (const [date, files] of Map.groupBy(known, ({ path }) => placeOf(path).date)) {
    if (rules.days !== undefined && (date < rules.days.first || date > rules.days.last)) continue;
    const dayEnd = Date.parse(`${date}T00:00:00Z`) + DAY_MS;
    const rows = files.reduce((sum, file) => sum + file.rows, 0);
    if (rows <= DAY_ROWS && dayEnd + JUDGED_AFTER_MS <= closedBefore) {
      if (isDue(state, files, isOfDay, rules))
        plans.push({ folder: dayFolder(date), inputs: files, judge: true });
      continue;
    }
    for (const [hour, inHour] of Map.groupBy(files, ({ path }) => placeOf(path).hour)) {
      if (hour === null) continue;
      const folder = hourFolder(`${date}T${hour}`);
      const hourEnd = Date.parse(`${date}T${hour}:00:00Z`) + HOUR_MS;
      if (rows > DAY_ROWS && hourEnd + JUDGED_AFTER_MS <= closedBefore) {
        if (isDue(state, inHour, isParquet, rules)) plans.push({ folder, inputs: inHour, judge: true });
        continue;
      }
      const many = hourEnd <= closedBefore && !inHour.some(isParquet) ? 2 : OPEN_HOUR_FILES;
      if (inHour.length >= many) plans.push({ folder, inputs: inHour, judge: false });
    }
  }
  return plans;
}

/**
 * Plans that are carried out together: days one after the other that are to be judged, as many as have no more rows than
 * JUDGED_ROWS. Each other plan is alone.
 */
export function groupsOf(plans: readonly CompactionPlan[]): CompactionPlan[][] {
  const groups: { plans: CompactionPlan[]; rows: number }[] = [];
  for (const plan of plans.toSorted((a, b) => (a.folder < b.folder ? -1 : 1))) {
    const rows = plan.inputs.reduce((sum, file) => sum + file.rows, 0);
    const last = groups.at(-1);
    const before = last?.plans.at(-1);
    const follows =
      before?.judge === true &&
      plan.judge &&
      spanOf(`${before.folder}/`).to === spanOf(`${plan.folder}/`).from;
    if (last === undefined || !follows || last.rows + rows > JUDGED_ROWS)
      groups.push({ plans: [plan], rows });
    else Object.assign(last, { plans: [...last.plans, plan], rows: last.rows + rows });
  }
  return groups.map((group) => group.plans);
}

/**
 * Whether the files of a closed day or hour are not yet one whose flags stand, and nothing speaks for waiting.
 *
 * @param isWhole whether a file was written for the day or hour as a whole
 */
function isDue(
  state: ChainState,
  files: readonly LiveFile[],
  isWhole: (file: LiveFile) => boolean,
  { settled = Infinity, again }: CompactionRules,
): boolean {
  const whole = files.find(isWhole);
  if (whole === undefined || files.length > LATE_FILES) return true;
  const stands = files.length === 1 && whole.judged !== undefined;
  if (stands && (again === undefined || whole.judged === again)) return false;
  // What was late, in it or in the time that its flags depend on, may go on coming.
  return filesWithin(state.live, windowOf(whole.path)).every(({ sequence }) => sequence <= settled);
}

function isOfDay({ path }: LiveFile): boolean {
  return placeOf(path).hour === null;
}

function isParquet({ path }: LiveFile): boolean {
  return path.endsWith(".parquet");
}
