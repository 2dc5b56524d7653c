import { formatTimestamp, parseTimestamp } from "../../../core/time.ts";
import { attribute } from "../../attribute.ts";
import { formatNumber } from "../../format.ts";
import type { RejectedRecord } from "../../../core/rejected-record.ts";
import { zoneTime } from "../../zone-time.ts";
import { Empty, Failed } from "../../parts/notes.tsx";

/**
 * Records that could not be read, with the reason.
 *
 * @param props.records newest first, or null where they cannot be had now
 * @param props.total how many there are in all
 */
export function Rejected({
  records,
  total,
}: {
  records: readonly RejectedRecord[] | null;
  total: number;
}): JSX.Element {
  return (
    <section aria-labelledby="h-rejected">
      <div class="bar">
        <h2 id="h-rejected">
          Rejected records{" "}
          <span class="count" safe>
            {total === 0 ? "" : `${formatNumber(total, 0)} in all, the newest first`}
          </span>
        </h2>
      </div>
      {records === null ? (
        <Failed what="Rejected records cannot be read now." todo="They are tried again by themselves." />
      ) : records.length === 0 ? (
        <Empty what="None." why="Every record so far could be read." />
      ) : (
        <ul class="rejected">
          {records.map(({ partition, offset, reason, ingested_at, record }) => (
            <li>
              <p>
                <time datetime={formatTimestamp(parseTimestamp(ingested_at))} class="u" safe>
                  {`${zoneTime(null).short(parseTimestamp(ingested_at))} UTC`}
                </time>{" "}
                <span class="u nw" safe>{`${partition} : ${formatNumber(offset, 0)}`}</span>
              </p>
              <p safe>{reason}</p>
              <code class="u" title={attribute(record)} safe>
                {record}
              </code>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
