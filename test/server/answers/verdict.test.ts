import { describe, expect, test } from "bun:test";
import type { UnjudgedCity, UnusualNow, VerdictFacts } from "../../../core/verdict.ts";
import { DAY_MS } from "../../../core/time.ts";
import { inWords } from "../../../server/answers/verdict.ts";
import { NOW } from "../../support/fake-services.ts";
import { verdictFacts } from "../../support/verdict.ts";

const unusual = (city: string, changes: Partial<UnusualNow> = {}): UnusualNow => ({
  city,
  kind: "unusual",
  side: "above",
  ...changes,
});

/** A city that has some of the ten days. */
const early = (city: string, days: number | null = 2): UnjudgedCity => ({
  city,
  days,
  judgedFrom: days === null ? null : NOW + (10 - days) * DAY_MS,
});

describe("inWords(), the answer", () => {
  const text = (changes: Partial<VerdictFacts>) => {
    const { answer, rest } = inWords(verdictFacts(changes));
    return answer + rest;
  };

  test("names what is unusual and what is late", () => {
    expect(text({ unusual: [unusual("Oslo")] })).toBe("Oslo unusually warm, 2 as expected");
    expect(text({ unusual: [unusual("Oslo", { side: "below" })], late: ["Rome"] })).toBe(
      "Oslo unusually cold, Rome is late, 1 as expected",
    );
    expect(text({ late: ["Oslo", "Rome"], unjudged: [early("Bern")] })).toBe(
      "Oslo and Rome are late, 1 too early to judge until about 8 Feb",
    );
  });

  test("names every kind of what is unusual, and counts a city once", () => {
    const kinds = [
      unusual("Oslo"),
      unusual("Oslo", { kind: "step" }),
      unusual("Bern", { kind: "spike" }),
      unusual("Rome", { kind: "stuck", side: null }),
    ];
    expect(text({ cities: 4, unusual: kinds })).toBe(
      "Oslo unusually warm, a step in Oslo, a spike in Bern, Rome stuck, 1 as expected",
    );
    expect(text({ unusual: [unusual("Bern", { kind: "spike" })] })).toBe("A spike in Bern, 2 as expected");
  });

  test("counts names instead of listing many", () => {
    expect(text({ cities: 5, late: ["A", "B", "C"] })).toBe("3 cities are late, 2 as expected");
  });

  test("claims nothing that is not known", () => {
    expect(text({})).toBe("Nothing unusual in 3 cities");
    expect(text({ silent: ["A", "B", "C"] })).toBe("Waiting for the first observation");
    expect(text({ silent: ["A"] })).toBe("A not heard of yet, 2 as expected");
    expect(text({ late: ["A", "B", "C"] })).toBe("Every city is late");
    expect(text({ unusual: [unusual("A")], late: ["A"] })).toBe("A is late, 2 as expected");
  });

  test("calls nothing usual of which too little is known", () => {
    const five = ["A", "B", "C", "D", "E"].map((city) => early(city));
    expect(text({ cities: 5, unjudged: five })).toBe(
      "All 5 cities on time, too early to say what is unusual until about 8 Feb",
    );
    expect(text({ cities: 5, unjudged: [...five.slice(0, 4), early("E", null)] })).toBe(
      "All 5 cities on time, 4 too early to judge until about 8 Feb, 1 not judged yet",
    );
    const pending = ["A", "B", "C"].map((city) => early(city, null));
    expect(text({ unjudged: pending })).toBe("All 3 cities on time, not judged yet");
    expect(text({ cities: 5, unjudged: five.slice(0, 2) })).toBe(
      "Nothing unusual in 3 cities, 2 too early to judge until about 8 Feb",
    );
    expect(text({ cities: 5, unjudged: five, unusual: [unusual("A", { kind: "step" })] })).toBe(
      "A step in A, 4 too early to judge until about 8 Feb",
    );
  });

  test("calls nothing of a recording on time or late", () => {
    const recording = { isRecording: true };
    expect(text(recording)).toBe("Nothing unusual in 3 cities at the end of the recording");
    expect(text({ ...recording, late: ["Oslo"] })).toBe("Oslo ends before the recording does, 2 as expected");
    const unjudged = ["A", "B", "C"].map((city) => ({ city, days: 2, judgedFrom: null }));
    expect(text({ ...recording, unjudged })).toBe(
      "A recording of 3 cities, too short to say what is unusual at its end",
    );
  });
});

describe("inWords(), where no anomaly is listed", () => {
  test("says who is judged and who is not, why, and until when", () => {
    const nothing = (changes: Partial<VerdictFacts>) => inWords(verdictFacts(changes)).nothing;
    expect(nothing({})).toEqual({
      what: "Nothing unusual.",
      why: "No report of the last days lies outside its bounds.",
    });
    expect(nothing({ cities: 5, unjudged: [early("A"), early("B", 9)] })).toEqual({
      what: "Nothing unusual.",
      why: "No report of the last days lies outside its bounds. 2 of 5 cities cannot be judged by season and hour until about 8 Feb: that needs 10 days with a report at the same hour.",
    });
    expect(nothing({ cities: 1, unjudged: [early("Oslo")] })).toEqual({
      what: "Too early to judge.",
      why: "Oslo cannot be judged by season and hour until about 8 Feb: that needs 10 days with a report at the same hour, of which it has 2.",
    });
    expect(nothing({ cities: 2, silent: ["A", "B"] }).what).toBe("Nothing to judge.");
    // With days enough it is no longer too early: only no job has said so yet.
    for (const days of [null, 44]) {
      const unjudged = [{ city: "Oslo", days, judgedFrom: null }];
      expect(nothing({ cities: 1, unjudged })).toEqual({
        what: "Not judged yet.",
        why: "It comes with the next run of the job anomalies.",
      });
      expect(inWords(verdictFacts({ cities: 1, unjudged })).tooEarly).toBeNull();
    }
  });

  test("has no sentence about time where everybody is judged", () => {
    expect(inWords(verdictFacts()).tooEarly).toBeNull();
  });
});
