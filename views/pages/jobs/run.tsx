import type { Run } from "../../../core/analytic-job.ts";
import { parseTimestamp } from "../../../core/time.ts";
import { attribute } from "../../attribute.ts";
import { formatAge } from "../../format.ts";
import type { JobProps } from "./jobs-props.ts";
import { Icon, type IconName } from "../../parts/icons.tsx";

/** How a run's state looks. */
const STATES: Record<Run["state"], { icon: IconName; style: string; word: string }> = {
  queued: { icon: "wait", style: "st-wait", word: "queued" },
  running: { icon: "run", style: "st-run", word: "running" },
  succeeded: { icon: "ok", style: "st-ok", word: "done" },
  failed: { icon: "fail", style: "st-err", word: "failed" },
  cancelled: { icon: "wait", style: "st-wait", word: "cancelled" },
};

/** The run that waits or goes on, if there is one. */
export function activeRun({ runs }: JobProps): Run | null {
  return runs.find(({ state }) => state === "queued" || state === "running") ?? null;
}

/** The newest run's state, a shape and a word. */
export function RunState({ run }: { run: Run | undefined }): JSX.Element {
  if (run === undefined) return <span class="st st-wait">not run yet</span>;
  const { icon, style, word } = STATES[run.state];
  return (
    <span class={`st ${style}`}>
      <Icon name={icon} />
      <span safe>{run.state === "running" ? `${percent(run.progress)} %` : word}</span>
    </span>
  );
}

/** What a run took, or has taken so far; an en dash for one that never began. */
export function tookOf({ started_at, finished_at }: Run, now: number): string {
  if (started_at === null) return "–";
  const ms = (finished_at === null ? now : parseTimestamp(finished_at)) - parseTimestamp(started_at);
  return ms < 10_000 ? `${(Math.max(0, ms) / 1000).toFixed(1)} s` : formatAge(ms);
}

/** The last runs, oldest first, a tick each; what failed stands out. */
export function RunTicks({ runs }: { runs: readonly Run[] }): JSX.Element {
  const failed = runs.filter(({ state }) => state === "failed").length;
  return (
    <svg
      class="ticks"
      viewBox="0 0 72 12"
      width="72"
      height="12"
      role="img"
      aria-label={`${runs.length} runs, ${failed} failed`}
    >
      {runs.toReversed().map(({ state }, i) => (
        <path class={`tick-${state}`} d={`M${i * 6 + 2} ${state === "failed" ? 0 : 4}V10`} />
      ))}
    </svg>
  );
}

/** A bar while a run goes on, and the buttons: run now, or cancel. They work without a script. */
export function RunControls({ job }: { job: JobProps }): JSX.Element {
  const run = activeRun(job);
  const path = `/jobs/${encodeURIComponent(job.name)}`;
  if (run === null) {
    return (
      <form method="post" action={`${path}/run`}>
        <button type="submit" aria-label={attribute(`Run now: ${job.name}`)}>
          Run now
        </button>
      </form>
    );
  }
  return (
    <form method="post" action={`${path}/cancel`}>
      <input type="hidden" name="run" value={attribute(run.id)} />
      <button type="submit" aria-label={attribute(`Cancel the run of ${job.name}`)}>
        Cancel
      </button>
    </form>
  );
}

/** Whole percent of a share. */
export function percent(share: number): number {
  return Math.round(Math.min(1, Math.max(0, share)) * 100);
}
