import { formatTimestamp } from "../../core/time.ts";
import { formatAge, formatTime } from "../format.ts";

/** What follows an age of a recording: nothing of it is as old as that today. */
export const BEFORE_THE_END = " before the end";

/**
 * How long ago something was, ticking in the browser.
 *
 * @param props.time ms since the epoch
 * @param props.now ms: the page's clock, or with `wall` the real time
 * @param props.recorded whether it is a time of a recording: its age is counted from the recording's end
 * @param props.wall what happened here rather than in the data: it ages by the real time also where data is replayed
 */
export function Age({
  time,
  now,
  wall,
  ago,
  recorded,
}: {
  time: number;
  now: number;
  wall?: boolean;
  ago?: boolean;
  recorded?: boolean;
}): JSX.Element {
  const suffix = recorded === true ? BEFORE_THE_END : ago === true ? " ago" : "";
  return (
    <time
      datetime={formatTimestamp(time)}
      title={formatTime(time)}
      data-age={suffix}
      data-wall={wall === true ? "" : undefined}
      safe
    >
      {formatAge(now - time) + suffix}
    </time>
  );
}
