import { parseTimestamp } from "../../core/time.ts";
import { formatNumber } from "../format.ts";
import type { ResultOrigin } from "../../core/analytic-job.ts";
import { Age } from "./age.tsx";

/** Where a result comes from: when, what computed it, over how much. `now` is the real time, ms. */
export function ResultLine({ info, now }: { info: ResultOrigin; now: number }): JSX.Element {
  return (
    <p class="u from">
      computed <Age time={parseTimestamp(info.generated_at)} now={now} wall ago /> by{" "}
      <span safe>{info.engine}</span> over <span safe>{formatNumber(info.rows_read, 0)}</span> rows
    </p>
  );
}
