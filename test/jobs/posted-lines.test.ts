import { describe, expect, spyOn, test } from "bun:test";
import { appendLines } from "../../jobs/posted-lines.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { MemoryLog } from "../support/memory-log.ts";

const posted = async (texts: readonly string[], history: boolean) => {
  const clock = new FakeClock();
  const log = new MemoryLog({ clock });
  const lines = texts.map((text, index) => ({ line: index + 1, text }));
  const answer = await appendLines(log, lines, { cities: [], now: clock.now(), history });
  return { answer, values: (await log.read(0, 0, 1_000)).map(({ value }) => value) };
};
const record = (timestamp?: string) => JSON.stringify({ timestamp, city: "London", temperature: 4.2 });

describe("appendLines()", () => {
  test("names a source where there is none, and changes nothing else of a line", async () => {
    const { answer, values } = await posted(
      [
        '{"city": "London", "temperature": 4.20}',
        '{"city": "London", "source": "mine"}',
        '{"city": "London", "temperature": 1e999}', // read and written again it would be null
        "{}",
        "[1]",
        "not json",
      ],
      true,
    );
    expect(answer).toMatchObject({ appended: 6, rejected: 6 });
    expect(values).toEqual([
      '{"source":"api","city": "London", "temperature": 4.20}',
      '{"city": "London", "source": "mine"}',
      '{"source":"api","city": "London", "temperature": 1e999}',
      "{}",
      "[1]",
      "not json",
    ]);
  });

  test("refuses what is no observation, says why with its line, and appends the others", async () => {
    const good = record("2026-01-31T11:50:00Z");
    const { answer, values } = await posted([record(), good, "not json", record("yesterday"), good], false);
    expect(answer).toEqual({
      appended: 2,
      rejected: 3,
      reasons: [
        { line: 1, reason: "timestamp is missing, wanted ISO 8601 with a zone" },
        { line: 3, reason: "record is not JSON" },
        { line: 4, reason: 'timestamp is "yesterday", wanted ISO 8601 with a zone' },
      ],
    });
    expect(values).toHaveLength(2);
  });

  test("tells the first ten reasons, and counts all", async () => {
    const { answer } = await posted(Array<string>(25).fill("{}"), false);
    expect([answer.appended, answer.rejected, answer.reasons.length]).toEqual([0, 25, 10]);
  });

  test.each(["1970-01-01T00:00:12Z", "2000-01-01T00:00:00Z", "2021-01-26T11:59:59Z"])(
    "refuses a record of %s unless it is said to be history",
    async (timestamp) => {
      const { answer, values } = await posted([record(timestamp)], false);
      expect(answer).toEqual({
        appended: 0,
        rejected: 1,
        reasons: [{ line: 1, reason: `timestamp is ${timestamp}, more than 5 years old for a live report` }],
      });
      expect(values).toEqual([]);
      expect((await posted([record(timestamp)], true)).answer).toEqual({
        appended: 1,
        rejected: 0,
        reasons: [],
      });
    },
  );

  test("takes a record with an impossible value, and tells the value with its line", async () => {
    const broken = record("2026-01-31T11:50:00Z").replace("}", ',"humidity":255,"wind_gust":"--"}');
    const { answer, values } = await posted([record("2026-01-31T11:40:00Z"), broken], false);
    expect(answer).toEqual({
      appended: 2,
      rejected: 0,
      reasons: [],
      left_out: [
        { line: 2, reason: "humidity is 255, wanted a number from 0 to 110 %" },
        { line: 2, reason: "wind_gust is --, wanted a number from 0 to 1000 m/s" },
      ],
    });
    expect(values[1]).toContain('"humidity":255,"wind_gust":"--"');
  });

  test("takes what is five years old", async () => {
    expect((await posted([record("2021-02-01T12:00:00Z")], false)).answer.appended).toBe(1);
  });
});

test("appendLines() puts a city's name into its normal form, or the configured spelling, and keys the record by it", async () => {
  const log = new MemoryLog({ clock: new FakeClock() });
  const lines = [
    '{"city":"london ","temperature":4.20,"source":"london "}',
    '{"source":"a \\"city\\":\\"x\\"","city" : "Zu\u0308rich \\"A\\""}',
    '{"city":"oslo","source":"mine"}',
    '{"city":"  ","source":"mine"}',
    '{"city":7,"source":"mine"}',
  ];
  const append = spyOn(log, "append");
  const posted = lines.map((text, index) => ({ line: index + 1, text }));
  await appendLines(log, posted, { cities: [{ name: "London" }], now: 0, history: true });
  expect(append.mock.calls[0]?.[0].map(({ key, value }) => [key, value])).toEqual([
    ["London", '{"city":"London","temperature":4.20,"source":"london "}'],
    ['Zürich "A"', '{"source":"a \\"city\\":\\"x\\"","city" : "Zürich \\"A\\""}'],
    ["oslo", '{"city":"oslo","source":"mine"}'],
    ["  ", '{"city":"  ","source":"mine"}'],
    ["", '{"city":7,"source":"mine"}'],
  ]);
});
