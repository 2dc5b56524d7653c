/** The course of one variable in one city. A null value is a break in the line: nothing is drawn across it. */
export interface Series {
  city: string;
  /** Seconds since the epoch, increasing. */
  t: number[];
  v: (number | null)[];
  /** Points further apart than this many seconds are not joined: three expected intervals. */
  gap: number;
}

/** What the chart and the sparklines draw. */
export interface History {
  /** Seconds since the epoch. */
  from: number;
  to: number;
  series: Series[];
}

/** The window of charts and sparklines, hours. */
export const HISTORY_HOURS = 24;
/** Cities with a card and a line; the palette has as many colours. */
export const CHARTED_CITIES = 8;
