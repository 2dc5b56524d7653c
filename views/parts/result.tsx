import { formatNumber } from "../format.ts";
import type { ResultInfo } from "../props.ts";
import { Age } from "./age.tsx";

/** Where a result comes from: when, what computed it, over how much. `now` is the real time, ms. */
export function ResultLine({ info, now }: { info: ResultInfo; now: number }): JSX.Element {
  return (
    <p class="u from">
      computed <Age time={info.generatedAt} now={now} wall ago /> by <span safe>{info.engine}</span> over{" "}
      <span safe>{formatNumber(info.rowsRead, 0)}</span> rows
    </p>
  );
}
