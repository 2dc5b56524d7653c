import { describe, expect, test } from "bun:test";
import { formatTimestamp } from "../../../core/time.ts";
import { timeReader } from "../../../jobs/sources/local-time.ts";

/** What a time may mean, as texts. */
const meanings = (format: string, zone: string | null, text: string): string[] =>
  timeReader(format, zone)(text).map(formatTimestamp);
/** The time read, as text; null when it is none. */
const read = (format: string, zone: string | null, text: string): string | null => {
  const times = meanings(format, zone, text);
  expect(times.length).toBeLessThan(2);
  return times[0] ?? null;
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

  test("an hour that the clocks repeat has two meanings; one that they leave out is moved on", () => {
    const format = "YYYY-MM-DD HH:mm";
    const zone = "Europe/Zurich"; // 03:00 became 02:00 on 2026-10-25, and 02:00 became 03:00 on 2026-03-29
    const texts = ["01:59", "02:00", "02:59", "03:00"];
    expect(texts.map((text) => meanings(format, zone, `2026-10-25 ${text}`))).toEqual([
      ["2026-10-24T23:59:00Z"],
      ["2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z"],
      ["2026-10-25T00:59:00Z", "2026-10-25T01:59:00Z"],
      ["2026-10-25T02:00:00Z"],
    ]);
    expect(read(format, zone, "2026-03-29 01:59")).toBe("2026-03-29T00:59:00Z");
    expect(read(format, zone, "2026-03-29 02:30")).toBe("2026-03-29T01:30:00Z");
    expect(read(format, zone, "2026-03-29 03:00")).toBe("2026-03-29T01:00:00Z");
    // Lord Howe moves its clocks by half an hour: 02:00 became 01:30 on 2026-04-05.
    expect(meanings(format, "Australia/Lord_Howe", "2026-04-05 01:45")).toEqual([
      "2026-04-04T14:45:00Z",
      "2026-04-04T15:15:00Z",
    ]);
    expect(read(format, "Australia/Lord_Howe", "2026-04-05 02:00")).toBe("2026-04-04T15:30:00Z");
  });

  test("a time that says its offset needs no zone, and counts before it", () => {
    const berlin = "Europe/Berlin";
    expect(read("iso", berlin, "2025-10-26T02:30:00+01:00")).toBe("2025-10-26T01:30:00Z");
    expect(read("iso", berlin, "2025-07-01T02:30:00")).toBe("2025-07-01T00:30:00Z");
    expect(meanings("iso", berlin, "2025-10-26 02:30")).toHaveLength(2);
    const format = "DD.MM.YYYY HH:mm Z";
    for (const zone of [null, berlin]) {
      expect(read(format, zone, "26.10.2025 02:30 +0200")).toBe("2025-10-26T00:30:00Z");
      expect(read(format, zone, "26.10.2025 02:30 +01")).toBe("2025-10-26T01:30:00Z");
      expect(read(format, zone, "26.10.2025 02:30 -03:30")).toBe("2025-10-26T06:00:00Z");
      expect(read(format, zone, "26.10.2025 02:30 UTC")).toBe("2025-10-26T02:30:00Z");
      expect(read(format, zone, "26.10.2025 02:30")).toBeNull();
    }
    expect(read("YYYY-MM-DDTHH:mmZ", "UTC", "2026-01-31T06:00Z")).toBe("2026-01-31T06:00:00Z");
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
