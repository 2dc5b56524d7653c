import { describe, expect, test } from "bun:test";
import { formatTimestamp, hourKey, isCanonical, isLater, parseTimestamp } from "../../core/time.ts";

describe("parseTimestamp()", () => {
  test("reads ISO 8601 in UTC and with an offset", () => {
    expect(parseTimestamp("2026-01-31T06:00:00Z")).toBe(Date.UTC(2026, 0, 31, 6));
    expect(parseTimestamp("2026-01-31 06:00Z")).toBe(Date.UTC(2026, 0, 31, 6));
    expect(parseTimestamp("2026-01-31T06:00:00+09:30")).toBe(Date.UTC(2026, 0, 30, 20, 30));
    expect(parseTimestamp("2026-01-31T06:00:00-0500")).toBe(Date.UTC(2026, 0, 31, 11));
    expect(parseTimestamp("2026-01-31T06:00:00.5Z")).toBe(Date.UTC(2026, 0, 31, 6, 0, 0, 500));
    expect(parseTimestamp("2026-01-31T06:00:00.123456789Z")).toBe(Date.UTC(2026, 0, 31, 6, 0, 0, 123));
  });

  test("agrees with the platform from year 1 to 9999, leap days included", () => {
    for (const day of [
      "0001-01-01",
      "0099-12-31",
      "0400-02-29",
      "1900-02-28",
      "2000-02-29",
      "2024-02-29",
      "9999-12-31",
    ]) {
      expect(parseTimestamp(`${day}T23:59:59Z`)).toBe(Date.parse(`${day}T23:59:59Z`));
    }
  });

  test("refuses what is no time, or has no zone", () => {
    for (const text of [
      "",
      "2026-01-31T06:00:00",
      "2026-01-31",
      "2026-02-30T00:00:00Z",
      "2100-02-29T00:00:00Z",
      "2026-00-01T00:00:00Z",
      "2026-13-01T00:00:00Z",
      "2026-01-00T00:00:00Z",
      "2026-01-31T24:00:00Z",
      "2026-01-31T06:60:00Z",
      "2026-01-31T06:00:60Z",
      "20260131T060000Z",
      "2026-01-31T06:00:00Z ",
      "٢٠٢٦-01-31T06:00:00Z",
      "1767225600",
    ]) {
      expect(parseTimestamp(text), text).toBeNaN();
    }
  });
});

test("formatTimestamp() leaves out a fraction of zero, and parseTimestamp() reads it back", () => {
  expect(formatTimestamp(Date.UTC(2026, 0, 31, 6))).toBe("2026-01-31T06:00:00Z");
  expect(formatTimestamp(Date.UTC(2026, 0, 31, 6, 0, 0, 7))).toBe("2026-01-31T06:00:00.007Z");
  for (const ms of [0, 1, -1, Date.UTC(1900, 0, 1), Date.UTC(2026, 1, 28, 23, 59, 59, 999)]) {
    expect(parseTimestamp(formatTimestamp(ms))).toBe(ms);
  }
});

test("isCanonical() is true exactly for what formatTimestamp() would write to the second", () => {
  expect(isCanonical("2026-01-31T06:00:00Z")).toBe(true);
  for (const text of [
    "2026-01-31 06:00:00Z",
    "2026-01-31T06:00:00+00:00",
    "2026-01-31T06:00Z",
    "2026-01-31T06:00:00.1Z",
  ]) {
    expect(isCanonical(text), text).toBe(false);
  }
});

test("isLater() orders times with and without a fraction", () => {
  expect(isLater("2026-01-31T06:00:00.500Z", "2026-01-31T06:00:00Z")).toBe(true);
  expect(isLater("2026-01-31T06:00:00Z", "2026-01-31T06:00:00.500Z")).toBe(false);
  expect(isLater("2026-01-31T06:00:01Z", "2026-01-31T06:00:00Z")).toBe(true);
  expect(isLater("2026-01-31T06:00:00Z", "2026-01-31T06:00:00Z")).toBe(false);
});

test("hourKey() names the UTC hour", () => {
  expect(hourKey("2026-01-31T06:59:59Z")).toBe("2026-01-31T06");
});
