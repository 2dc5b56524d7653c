import type { ServerLink } from "../../../core/about.ts";
import type { PartitionStatus, PipelineStatus, Rate, Stage } from "../../../core/pipeline-status.ts";
import type { RejectedRecord } from "../../../core/rejected-record.ts";
import { parseTimestamp } from "../../../core/time.ts";
import { formatAge, formatCount, formatNumber } from "../../format.ts";
import { Age } from "../../parts/age.tsx";
import { Icon } from "../../parts/icons.tsx";
import { JobsTable } from "./jobs-table.tsx";
import { PartitionsTable } from "./partitions-table.tsx";
import { Rejected } from "./rejected.tsx";
import { webAddress } from "../../attribute.ts";

/** Where everything stands, and what the page shows beside it. */
export interface PipelineProps extends PipelineStatus {
  /** The page's clock, ms. */
  asOf: number;
  /** Now, ms. */
  now: number;
  staleAfterSeconds: number;
  /** Whether the data is a recording, whose end is the page's clock. */
  isRecording: boolean;
  /** The newest records that could not be read, newest first; null where they cannot be had now. */
  rejected: readonly RejectedRecord[] | null;
  /** Pages of the servers that are used. */
  servers: readonly ServerLink[];
}

/** Where everything stands; the part inside is fetched anew on each `status` event. */
export function PipelinePage(props: PipelineProps): JSX.Element {
  return (
    <div
      hx-get="/fragments/pipeline"
      hx-trigger="status from:body throttle:1s, every 10s"
      hx-swap="innerMorph"
    >
      <Pipeline {...props} />
    </div>
  );
}

/** The answer in words: what failed or lags, and how the rest is. */
export function pipelineAnswer(props: PipelineProps): { answer: string; rest: string } {
  const still = props.stages.filter((stage) => stage.trouble !== null);
  if (still.length > 0) {
    const names = still.map((stage) => stage.name).join(" and ");
    return { answer: `The ${names} ${still.length === 1 ? "stands" : "stand"} still`, rest: "" };
  }
  const failed = props.jobs.filter((job) => job.state === "failed");
  if (failed.length > 0) {
    const names = failed.map((job) => job.name).join(" and ");
    const others = props.jobs.length - failed.length;
    return {
      answer: `${names} failed`,
      rest: others > 0 ? `, ${formatCount(others, "other job", "other jobs")} fine` : "",
    };
  }
  const lagging = props.stages.filter((stage) => lagOf(stage, props) > 0);
  const worst = lagging.sort((a, b) => lagOf(b, props) - lagOf(a, props))[0];
  if (worst !== undefined) {
    return {
      answer: `The ${worst.name} is ${formatAge(lagOf(worst, props))} behind`,
      rest: lagging.length === 1 ? ", everything else keeps up" : "",
    };
  }
  if (props.stages.every((stage) => stage.watermark === null))
    return { answer: "Nothing has arrived yet", rest: "" };
  return { answer: "Every stage keeps up", rest: "" };
}

/**
 * How far a stage lies behind the source, ms; 0 within three expected intervals. Results are made by a schedule, so their
 * distance is no lag.
 */
function lagOf(stage: Stage, { stages, staleAfterSeconds }: PipelineProps): number {
  if (stage.name === "result" || stage.watermark === null) return 0;
  const newest = Math.max(
    ...stages.map(({ watermark }) => (watermark === null ? 0 : parseTimestamp(watermark))),
  );
  const lag = newest - parseTimestamp(stage.watermark);
  return lag > staleAfterSeconds * 1000 ? lag : 0;
}

/** Stages, jobs and partitions. */
export function Pipeline(props: PipelineProps): JSX.Element {
  const { answer, rest } = pipelineAnswer(props);
  return (
    <>
      <div class="headline">
        <h1>
          <span safe>{answer}</span>
          <span class="rest" safe>
            {rest}
          </span>
        </h1>
        <p class="asof">
          A watermark is the newest observation time a stage has seen; its age is what you wait for.
        </p>
      </div>
      <section aria-labelledby="h-stages">
        <h2 id="h-stages" class="vh">
          Stages
        </h2>
        <ol class="stages">
          {props.stages.map((stage) => (
            <StageItem stage={stage} props={props} />
          ))}
        </ol>
        <Proof {...props} />
      </section>
      <div class="split even">
        <JobsTable jobs={props.jobs} now={props.now} />
        <Rejected
          records={props.rejected}
          total={props.partitions.reduce((sum, { rejected }) => sum + rejected, 0)}
        />
      </div>
      <PartitionsTable partitions={props.partitions} />
      {props.servers.length === 0 ? (
        ""
      ) : (
        <section aria-labelledby="h-servers">
          <div class="bar">
            <h2 id="h-servers">Pages of the servers</h2>
          </div>
          <ul class="links">
            {props.servers.map(({ name, href }) => (
              <li>
                <a href={webAddress(href)} safe>
                  {name}
                </a>
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

function StageItem({ stage, props }: { stage: Stage; props: PipelineProps }): JSX.Element {
  const late = stage.trouble !== null || lagOf(stage, props) > 0;
  const { live } = props;
  return (
    <li class={late ? "stage is-lag" : "stage"}>
      <h3 safe>{stage.name.charAt(0).toUpperCase() + stage.name.slice(1)}</h3>
      <p class="impl u" safe>
        {stage.by}
      </p>
      <p class="mark">
        {stage.watermark === null ? (
          <span class="missing">–</span>
        ) : (
          <Age time={parseTimestamp(stage.watermark)} now={props.asOf} recorded={props.isRecording} />
        )}
      </p>
      <p class="lag">
        {stage.name === "screen" ? (
          <span class="u" safe>
            {`${live.dropped === 0 ? "none" : formatNumber(live.dropped, 0)} dropped`}
          </span>
        ) : stage.trouble !== null ? (
          <>
            <span class="st st-err">
              <Icon name="fail" />
              stands still
            </span>
            <small safe>{stage.trouble}</small>
          </>
        ) : stage.behind === null ? (
          ""
        ) : stage.behind === 0 ? (
          <span class="u">nothing to do</span>
        ) : late ? (
          <span class="st st-stale">
            <Icon name="stale" />
            <span safe>{`${formatNumber(stage.behind, 0)} behind`}</span>
          </span>
        ) : (
          <span class="u" safe>{`${formatNumber(stage.behind, 0)} to do`}</span>
        )}
        {stage.name === "log" || stage.name === "lake" ? <RateOf rate={props.rates[stage.name]} /> : ""}
      </p>
    </li>
  );
}

/** How many records a second pass a stage. */
function RateOf({ rate }: { rate: Rate | null }): JSX.Element {
  if (rate === null) return <small>rate not known yet</small>;
  const digits = rate.per_second === 0 || rate.per_second >= 10 ? 0 : rate.per_second >= 1 ? 1 : 3;
  return (
    <small safe>
      {`${formatNumber(rate.per_second, digits)} records/s over ${formatAge(rate.seconds * 1000)}`}
    </small>
  );
}

/** Whether every offset is accounted for: rows, duplicates or rejected; by the counts of now, and by the newest proof. */
function Proof({ partitions, proof, now }: PipelineProps): JSX.Element {
  if (partitions.length === 0) return <></>;
  const sum = (pick: (p: PartitionStatus) => number) => partitions.reduce((total, p) => total + pick(p), 0);
  const [rows, duplicates, rejected] = [sum((p) => p.rows), sum((p) => p.duplicates), sum((p) => p.rejected)];
  const committed = sum((p) => p.next);
  const equal = partitions.every((p) => p.next === p.rows + p.duplicates + p.rejected);
  const parts = `${formatNumber(rows, 0)} rows + ${formatNumber(duplicates, 0)} duplicates + ${formatNumber(rejected, 0)} rejected`;
  return (
    <p class="proof">
      {equal ? (
        <>
          <Icon name="ok" />
          <b>Log equals lake</b>
          <span safe>{`${formatNumber(committed, 0)} offsets = ${parts}`}</span>
        </>
      ) : (
        <>
          <Icon name="wait" />
          <b>Cannot be told from here</b>
          <span
            safe
          >{`${parts}, up to offset ${formatNumber(committed, 0)}: the log does not begin at 0 or has holes.`}</span>
        </>
      )}
      <span class="end">
        <Proved proof={proof} now={now} />
      </span>
    </p>
  );
}

/** What the newest `verify` found, and when. */
function Proved({ proof, now }: Pick<PipelineProps, "proof" | "now">): JSX.Element {
  if (proof === null) {
    return (
      <>
        by the commits' own counts; <code>bun run verify</code> proves it record by record
      </>
    );
  }
  const age = <Age time={parseTimestamp(proof.at)} now={now} wall ago />;
  if (proof.problems === 0) {
    return (
      <>
        <span safe>{`${formatNumber(proof.compared, 0)} records`}</span> verified one by one {age}
      </>
    );
  }
  return (
    <>
      <span class="st st-err">
        <Icon name="fail" />
        <span safe>{formatCount(proof.problems, "problem", "problems")}</span>
      </span>{" "}
      found by <code>bun run verify</code> {age}: it names them
    </>
  );
}
