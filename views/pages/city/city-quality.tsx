import { VARIABLES } from "../../../core/variables.ts";
import { formatNumber } from "../../format.ts";
import type { CityHistoryProps } from "./city-props.ts";
import { Icon } from "../../parts/icons.tsx";
import { Empty } from "../../parts/notes.tsx";

/** How many values of the window passed quality control. */
export function CityQuality({ history }: CityHistoryProps): JSX.Element {
  if (history === null || history.rows === 0) {
    return <Empty what="Nothing to judge." why="There is no report in the range that is shown." />;
  }
  const { rows, quality } = history;
  const shown = quality.filter(({ variable, missing }) => VARIABLES[variable].contract || missing < rows);
  return (
    <div class="scroll" tabindex="0" role="region" aria-labelledby="h-quality">
      <table class="num">
        <thead>
          <tr>
            <th scope="col">Variable</th>
            <th scope="col">Good</th>
            <th scope="col">Suspect</th>
            <th scope="col">Failed</th>
            <th scope="col">Missing</th>
          </tr>
        </thead>
        <tbody>
          {shown.map(({ variable, good, suspect, failed, missing, unjudged }) => (
            <tr>
              <th scope="row" safe>
                {VARIABLES[variable].label}
              </th>
              <td safe>
                {`${formatNumber(good, 0)}${unjudged > 0 ? ` + ${formatNumber(unjudged, 0)} not evaluated` : ""}`}
              </td>
              <Count count={suspect} icon="suspect" style="st-stale" />
              <Count count={failed} icon="fail" style="st-err" />
              <Count count={missing} icon="wait" style="st-wait" />
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Count({
  count,
  icon,
  style,
}: {
  count: number;
  icon: "suspect" | "fail" | "wait";
  style: string;
}): JSX.Element {
  if (count === 0) return <td class="u">none</td>;
  return (
    <td>
      <span class={`st ${style}`}>
        <Icon name={icon} />
        <span safe>{formatNumber(count, 0)}</span>
      </span>
    </td>
  );
}
