/** How points in time are written for one zone. All take ms since the epoch. */
export interface ZoneTime {
  /** IANA time zone. */
  zone: string;
  /** The zone's name at a time, as people read it: `UTC`, `GMT+1`, `EDT`. */
  name(ms: number): string;
  /** `22:00` */
  clock(ms: number): string;
  /** `Sun 9` */
  day(ms: number): string;
  /** `Sun 9 Apr, 22:00` */
  short(ms: number): string;
  /** `9 Apr 2017` */
  date(ms: number): string;
  /** Hour of the day, 0 to 23. */
  hour(ms: number): number;
}

const known = new Map<string, ZoneTime>();

/** How times are written in a zone; UTC where the zone is not known. Made once a zone: formatters are dear. */
export function zoneTime(zone: string | null): ZoneTime {
  const name = zone ?? "UTC";
  const made = known.get(name) ?? make(name);
  known.set(name, made);
  return made;
}

function make(zone: string): ZoneTime {
  const format = (options: Intl.DateTimeFormatOptions) => {
    const formatter = new Intl.DateTimeFormat("en-GB", { timeZone: zone, ...options });
    return (ms: number) => formatter.format(ms).replaceAll(",", "");
  };
  const clock = format({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const weekday = format({ weekday: "short", day: "numeric" });
  const dayMonth = format({ weekday: "short", day: "numeric", month: "short" });
  const named = new Intl.DateTimeFormat("en-GB", { timeZone: zone, timeZoneName: "short" });
  return {
    zone,
    name: (ms) =>
      zone === "UTC"
        ? "UTC"
        : (named.formatToParts(ms).find(({ type }) => type === "timeZoneName")?.value ?? zone),
    clock,
    day: weekday,
    short: (ms) => `${dayMonth(ms)}, ${clock(ms)}`,
    date: format({ day: "numeric", month: "short", year: "numeric" }),
    hour: (ms) => Number(clock(ms).slice(0, 2)),
  };
}
