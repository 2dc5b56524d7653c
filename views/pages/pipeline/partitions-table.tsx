import { formatNumber } from "../../format.ts";
import type { PartitionStatus } from "../../../core/pipeline-status.ts";
import { Empty } from "../../parts/notes.tsx";

/** What each partition holds in the log and in the lake. */
export function PartitionsTable({ partitions }: { partitions: PartitionStatus[] }): JSX.Element {
  return (
    <section aria-labelledby="h-partitions">
      <div class="bar">
        <h2 id="h-partitions">
          Storage <span class="count">what each partition holds in the log and in the lake</span>
        </h2>
      </div>
      {partitions.length === 0 ? (
        <Empty what="Nothing is committed yet." why="The first batch brings the first entry." />
      ) : (
        <div class="scroll" tabindex="0" role="region" aria-labelledby="h-partitions">
          <table class="num">
            <thead>
              <tr>
                <th scope="col">Partition</th>
                <th scope="col" title="First offset in the log, and the one after the last">
                  Log
                </th>
                <th scope="col" title="First offset that is not committed">
                  Next
                </th>
                <th scope="col">Rows</th>
                <th scope="col">Duplicates</th>
                <th scope="col">Rejected</th>
                <th scope="col" class="wide">
                  Files
                </th>
                <th scope="col" class="wide">
                  Size
                </th>
              </tr>
            </thead>
            <tbody>
              {partitions.map((p) => (
                <tr>
                  <th scope="row">{p.partition}</th>
                  <td safe>
                    {p.low === null || p.high === null
                      ? "–"
                      : `${formatNumber(p.low, 0)}–${formatNumber(p.high, 0)}`}
                  </td>
                  <td safe>{formatNumber(p.next, 0)}</td>
                  <td safe>{formatNumber(p.rows, 0)}</td>
                  <td safe>{formatNumber(p.duplicates, 0)}</td>
                  <td safe>{formatNumber(p.rejected, 0)}</td>
                  <td class="wide" safe>
                    {formatNumber(p.files, 0)}
                  </td>
                  <td class="wide">
                    <span safe>{formatNumber(p.bytes / 1e6, 1)}</span>
                    <span class="u">MB</span>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
