/** A period in which the UTC offset of a zone is constant. */
export interface ZonePeriod {
  /** IANA time zone. */
  zone: string;
  /** First moment, ms since the epoch; −Infinity for the first period. */
  from: number;
  /** The moment after the last, ms since the epoch; Infinity for the last period. */
  to: number;
  /** UTC offset, minutes, positive east of Greenwich. */
  offsetMinutes: number;
}

/** The part of Temporal that is used here. TypeScript has no types for it yet. */
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
 * The periods of a zone in time order, without gaps. They contain the clock changes of the given years. Before the first
 * year the offset at its start is used; after the last year the offset at its end.
 *
 * @param zone IANA time zone
 * @param firstYear in UTC. The time zone database is reliable from 1970 on
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
    // A transition without a change of the offset in minutes, such as a new abbreviation, is ignored.
    if (before?.offsetMinutes === offsetMinutes) continue;
    if (before !== undefined) before.to = at.epochMilliseconds;
    const from = before === undefined ? -Infinity : at.epochMilliseconds;
    periods.push({ zone, from, to: Infinity, offsetMinutes });
  }
  return periods;
}
