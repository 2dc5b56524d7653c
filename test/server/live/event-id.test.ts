import { describe, expect, test } from "bun:test";
import { nextEventId, readEventId, writeEventId } from "../../../server/live/event-id.ts";

describe("nextEventId()", () => {
  test("is the highest offset with one partition", () => {
    expect(nextEventId(1, 41, null)).toBe(41);
    expect(nextEventId(1, 41, 7)).toBe(41);
  });

  test("counts from 0 with several partitions, whatever the offsets are", () => {
    expect(nextEventId(3, 41, null)).toBe(0);
    expect(nextEventId(3, 2, 0)).toBe(1);
  });
});

describe("readEventId()", () => {
  test("reads what writeEventId() wrote, also in an epoch with a hyphen", () => {
    expect(writeEventId("a-1", 25)).toBe("a-1-25");
    expect(readEventId("a-1", writeEventId("a-1", 25))).toBe(25);
  });

  test("is null for no header, another epoch and text that is no id", () => {
    expect(readEventId("a", null)).toBeNull();
    expect(readEventId("a", "b-25")).toBeNull();
    for (const header of ["", "25", "a", "a-", "a-x", "a--", "a-12345678901234567"])
      expect(readEventId("a", header)).toBeNull();
  });
});
