import { parseTimestamp } from "../../core/time.ts";
import type { Positions } from "../../jobs/readers/lake-arrivals.ts";
import { badParameter } from "./parameters.ts";
import type { RowQuery } from "../../jobs/readers/lake-queries.ts";

/** A question about observations and how far it was answered. Times are ms since the epoch. */
export type Cursor = Pick<RowQuery, "city" | "from" | "to" | "after">;

/** A cursor as it stands in a URL: opaque to callers. */
export function encodeCursor({ city, from, to, after }: Cursor): string {
  const parts = [city, from, to, after?.timestamp, after?.city, after?.source];
  return Buffer.from(JSON.stringify(parts)).toString("base64url");
}

/**
 * Reads what {@link encodeCursor} wrote.
 *
 * @throws RequestError `bad_parameter` for anything else
 */
export function decodeCursor(text: string): Cursor {
  const wrong = () => badParameter("cursor", text, "the next_cursor of an answer before");
  if (!/^[A-Za-z0-9_-]{1,4000}$/.test(text)) throw wrong();
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(text, "base64url").toString());
  } catch {
    throw wrong();
  }
  if (!Array.isArray(parts) || parts.length !== 6) throw wrong();
  const [city, from, to, timestamp, lastCity, source] = parts as unknown[];
  if (
    (city !== null && typeof city !== "string") ||
    !Number.isSafeInteger(from) ||
    !Number.isSafeInteger(to) ||
    typeof timestamp !== "string" ||
    Number.isNaN(parseTimestamp(timestamp)) ||
    typeof lastCity !== "string" ||
    typeof source !== "string"
  ) {
    throw wrong();
  }
  return { city, from: from as number, to: to as number, after: { timestamp, city: lastCity, source } };
}

/**
 * Positions of arrivals as they stand in a URL: opaque to callers, and short, because a URL may be 16 kB long and a log have
 * 1,000 partitions.
 */
export function encodePositions(positions: Positions): string {
  return (
    [...positions].map((position) => position.map((one) => one.toString(36)).join(".")).join("_") || "begin"
  );
}

/** Longest text of {@link encodePositions}, characters: 1,000 partitions with offsets below 36^8. */
export const POSITIONS_MAX = 12_000;

/**
 * Reads what {@link encodePositions} wrote; `begin` is before everything, `now` after it.
 *
 * @throws RequestError `bad_parameter` for anything else
 */
export function decodePositions(text: string): Positions | "now" {
  if (text === "now") return text;
  if (text === "begin") return new Map();
  const positions = new Map<number, number>();
  for (const part of text.length > POSITIONS_MAX ? [""] : text.split("_")) {
    const [partition = NaN, offset = NaN] = /^[0-9a-z]{1,4}\.[0-9a-z]{1,11}$/.test(part)
      ? part.split(".").map((digits) => Number.parseInt(digits, 36))
      : [];
    if (!Number.isSafeInteger(offset) || positions.has(partition)) {
      throw badParameter("since", text, "begin, now, or the next_since of an answer before");
    }
    positions.set(partition, offset);
  }
  return positions;
}
