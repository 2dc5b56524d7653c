import { formatTimestamp } from "../../../core/time.ts";
import type { Verdict } from "../../../core/verdict.ts";
import { formatCount, formatNumber, formatTime } from "../../format.ts";
import { Icon } from "../../parts/icons.tsx";

/** The page's title with the verdict on the left and the time it holds for on the right. */
export function Headline(verdict: Verdict): JSX.Element {
  const { answer, rest, asOf, isRecording, cities, silent, late, unusual } = verdict;
  const found = new Set(unusual.map(({ city }) => city)).size;
  return (
    <>
      <h1>
        <span safe>{answer}</span>
        <span class="rest" safe>
          {rest}
        </span>
      </h1>
      <p class="asof">
        {isRecording ? "Recorded until " : ""}
        <time datetime={formatTimestamp(asOf)} safe>
          {formatTime(asOf)}
        </time>
        <span safe>{formatCount(cities - silent.length, "city", "cities")}</span>
        {late.length > 0 ? (
          <span class="st st-stale">
            <Icon name="stale" />
            <span safe>{`${formatNumber(late.length, 0)} ${isRecording ? "ended earlier" : "late"}`}</span>
          </span>
        ) : (
          ""
        )}
        {found > 0 ? (
          <span class="sev">
            <Icon name="sev-1" />
            <span>{found} unusual</span>
          </span>
        ) : (
          ""
        )}
      </p>
    </>
  );
}
