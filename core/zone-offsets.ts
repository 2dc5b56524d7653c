/** A time in which the clocks of a zone keep one distance from UTC. */
export interface ZonePeriod {
  /** IANA time zone. */
  zone: string;
  /** First moment, ms since the epoch; −Infinity for the first period. */
  from: number;
  /** The moment after the last, ms since the epoch; Infinity for the last period. */
  to: number;
  /** What the clocks show minus UTC, minutes, positive in the east. */
  offsetMinutes: number;
}

/** What of Temporal is used here: TypeScript has no types of it yet. */
declare const Temporal: { ZonedDateTime: new (epochNanoseconds: bigint, zone: string) => ZonedDateTime };
interface ZonedDateTime {
  readonly epochMilliseconds: number;
  readonly offsetNanoseconds: number;
  /** The next change of the zone's rules, or null after the last. */
  getTimeZoneTransition(direction: "next"): ZonedDateTime | null;
}

const MINUTE_NS = 60_000_000_000;
const MS_NS = 1_000_000n;

/**
 * The periods of a zone without a gap, in order. Changes of the clocks are those of the years given: before the first
 * year the offset at its beginning holds, after the last that of its end.
 *
 * @param zone IANA time zone
 * @param firstYear in UTC. The time zone database vouches for changes from 1970 on
 * @param lastYear inclusive
 * @throws RangeError for a zone that is not known
 */
export function zonePeriods(zone: string, firstYear: number, lastYear: number): ZonePeriod[] {
  const end = Date.UTC(lastYear + 1, 0, 1);
  const periods: ZonePeriod[] = [];
  let at: ZonedDateTime | null = new Temporal.ZonedDateTime(BigInt(Date.UTC(firstYear, 0, 1)) * MS_NS, zone);
  for (; at !== null && at.epochMilliseconds < end; at = at.getTimeZoneTransition("next")) {
    const offsetMinutes = Math.round(at.offsetNanoseconds / MINUTE_NS);
    const before = periods.at(-1);
    // A change of the name or of a few seconds is none.
    if (before?.offsetMinutes === offsetMinutes) continue;
    if (before !== undefined) before.to = at.epochMilliseconds;
    const from = before === undefined ? -Infinity : at.epochMilliseconds;
    periods.push({ zone, from, to: Infinity, offsetMinutes });
  }
  return periods;
}
