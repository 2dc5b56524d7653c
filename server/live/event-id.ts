/**
 * Chooses the id of a live event with observations. With one partition it is the highest offset in the event, so that a
 * client of the previous process can resume in this one. Offsets of several partitions have no common order; then it is a
 * counter, which is valid for this process only.
 *
 * @param partitions of the log
 * @param offset the highest in the event
 * @param newest id of the last event; null before the first
 */
export function nextEventId(partitions: number, offset: number, newest: number | null): number {
  return partitions === 1 ? offset : (newest ?? -1) + 1;
}

/** An id as it is sent: `<epoch>-<id>`. @param epoch changes when the ids start again */
export function writeEventId(epoch: string, id: number): string {
  return `${epoch}-${id}`;
}

/** Reads a `Last-Event-ID` header; null when there is none, it is malformed, or it is of another epoch. */
export function readEventId(epoch: string, header: string | null): number | null {
  const match = header === null ? null : /^(.+)-(\d{1,16})$/.exec(header);
  return match?.[1] === epoch ? Number(match[2]) : null;
}
