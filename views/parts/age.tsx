import { formatTimestamp } from "../../core/time.ts";
import { formatAge, formatTime } from "../format.ts";

/**
 * How long ago something was, ticking in the browser.
 *
 * @param props.time ms since the epoch
 * @param props.now ms: the page's clock, or with `wall` the real time
 * @param props.wall what happened here rather than in the data: it ages by the real time also where data is replayed
 */
export function Age({
  time,
  now,
  wall,
  ago,
}: {
  time: number;
  now: number;
  wall?: boolean;
  ago?: boolean;
}): JSX.Element {
  const suffix = ago === true ? " ago" : "";
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
