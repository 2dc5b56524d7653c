import { describe, expect, test } from "bun:test";
import { formatTimestamp } from "../../../core/time.ts";
import { timeReader } from "../../../jobs/sources/local-time.ts";

const NEVER = -Infinity;
/** The time read, as text; null when it is none. */
const read = (format: string, zone: string | null, text: string, after = NEVER): string | null => {
  const ms = timeReader(format, zone)(text, after);
  return Number.isNaN(ms) ? null : formatTimestamp(ms);
};

describe("timeReader()", () => {
  test.each([
    ["iso", null, "2026-01-31T06:00:00+01:00", "2026-01-31T05:00:00Z"],
    ["epoch_s", null, "1769839200", "2026-01-31T06:00:00Z"],
    ["epoch_s", null, "1769839200.5", "2026-01-31T06:00:00.500Z"],
    ["epoch_ms", null, " 1769839200000 ", "2026-01-31T06:00:00Z"],
    ["YYYY-MM-DD HH:mm:ss", "UTC", "2026-01-31 06:00:00", "2026-01-31T06:00:00Z"],
    ["YYYY-MM-DD HH:mm:ss", "-05:00", "2026-01-31 06:00:00", "2026-01-31T11:00:00Z"],
    ["YYYY-MM-DDTHH:mm", "+05:30", "2026-01-31T06:00", "2026-01-31T00:30:00Z"],
    ["D.M.YYYY H:mm", "Europe/Zurich", "31.1.2026 6:00", "2026-01-31T05:00:00Z"],
    ["D.M.YYYY H:mm", "Europe/Zurich", "1.7.2026 16:05", "2026-07-01T14:05:00Z"],
    ["M/D/YYYY h:mm A", "America/New_York", "1/31/2026 12:00 AM", "2026-01-31T05:00:00Z"],
    ["M/D/YYYY h:mm A", "America/New_York", "1/31/2026 12:30 pm", "2026-01-31T17:30:00Z"],
    ["M/D/YYYY h:mm A", "America/New_York", "7/4/2026 1:05 p.m.", "2026-07-04T17:05:00Z"],
    ["YYYYMMDD HHmm", "UTC", "20260131   0600", "2026-01-31T06:00:00Z"],
    ["YYYY-MM-DD", "UTC", "2026-01-31", "2026-01-31T00:00:00Z"],
    ["YYYY M D H", "UTC", "2026 1 31 6", "2026-01-31T06:00:00Z"],
    ["YYYY-MM-DD H:m:s", "UTC", "2026-01-31 6:5:9", "2026-01-31T06:05:09Z"],
    ["YYYYMMDD H", "UTC", "20260131   24", "2026-02-01T00:00:00Z"],
    ["YYYY-MM-DD HH:mm:ss", "Europe/Zurich", "2025-12-31 24:00:00", "2025-12-31T23:00:00Z"],
  ])("%s in %p reads %p", (format, zone, text, wanted) => {
    expect(read(format, zone, text)).toBe(wanted);
  });

  test.each([
    ["iso", null, "2026-01-31T06:00:00"],
    ["epoch_s", null, "soon"],
    ["YYYY-MM-DD HH:mm:ss", "UTC", "2026-02-30 06:00:00"],
    ["YYYY-MM-DD HH:mm:ss", "UTC", "2026-01-31 24:00:01"],
    ["YYYY-MM-DD HH:mm:ss", "UTC", "2026-01-31 25:00:00"],
    ["YYYY-MM-DD HH:mm:ss", "UTC", "2026-01-31 06:00"],
    ["YYYY.MM.DD", "UTC", "2026-01-31"],
    ["M/D/YYYY h:mm A", "UTC", "1/31/2026 13:00 PM"],
    ["M/D/YYYY h:mm A", "UTC", "1/31/2026 0:00 AM"],
  ])("%s in %p refuses %p", (format, zone, text) => {
    expect(read(format, zone, text)).toBeNull();
  });

  test("an hour that the clocks repeat is the first one, then the second; one that they leave out is moved on", () => {
    const format = "YYYY-MM-DD HH:mm";
    const zone = "Europe/Zurich"; // 03:00 became 02:00 on 2026-10-25, and 02:00 became 03:00 on 2026-03-29
    const reader = timeReader(format, zone);
    let after = NEVER;
    const texts = ["01:30", "02:00", "02:30", "02:00", "02:30", "03:00"];
    const times = texts.map((text) => (after = reader(`2026-10-25 ${text}`, after)));
    expect(times.map((ms) => formatTimestamp(ms).slice(11, 16))).toEqual([
      "23:30",
      "00:00",
      "00:30",
      "01:00",
      "01:30",
      "02:00",
    ]);
    expect(read(format, zone, "2026-03-29 01:59")).toBe("2026-03-29T00:59:00Z");
    expect(read(format, zone, "2026-03-29 02:30")).toBe("2026-03-29T01:30:00Z");
    expect(read(format, zone, "2026-03-29 03:00")).toBe("2026-03-29T01:00:00Z");
  });

  test.each<[string, string | null, string]>([
    ["YYYY-MM-DD", null, 'a pattern such as "YYYY-MM-DD" needs a zone, such as UTC'],
    ["YYYY-MM-DD", "Mars/Base", 'the zone is "Mars/Base", wanted UTC, an offset such as -05:00'],
    ["HH:mm", "UTC", 'the time format is "HH:mm", wanted iso, epoch_s, epoch_ms or a pattern'],
    ["YYYY-MM-DD MM", "UTC", "wanted iso"],
    ["seconds", "UTC", "wanted iso"],
    ["YYYY-MM-DD h:mm", "UTC", "has one of h and A, wanted both or none"],
  ])("refuses the format %p in %p", (format, zone, message) => {
    expect(() => timeReader(format, zone)).toThrow(TypeError);
    expect(() => timeReader(format, zone)).toThrow(message);
  });
});
