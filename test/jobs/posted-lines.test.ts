import { expect, spyOn, test } from "bun:test";
import { appendLines } from "../../jobs/posted-lines.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { MemoryLog } from "../support/memory-log.ts";

test("appendLines() names a source where there is none, and changes nothing else of a line", async () => {
  const log = new MemoryLog({ clock: new FakeClock() });
  const lines = [
    '{"city": "London", "temperature": 4.20}',
    '{"city": "London", "source": "mine"}',
    '{"city": "London", "temperature": 1e999}', // read and written again it would be null
    "{}",
    "[1]",
    "not json",
  ];
  expect(await appendLines(log, lines, [])).toEqual({ appended: 6 });
  expect((await log.read(0, 0, 10)).map(({ value }) => value)).toEqual([
    '{"source":"api","city": "London", "temperature": 4.20}',
    '{"city": "London", "source": "mine"}',
    '{"source":"api","city": "London", "temperature": 1e999}',
    "{}",
    "[1]",
    "not json",
  ]);
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
  await appendLines(log, lines, [{ name: "London" }]);
  expect(append.mock.calls[0]?.[0].map(({ key, value }) => [key, value])).toEqual([
    ["London", '{"city":"London","temperature":4.20,"source":"london "}'],
    ['Zürich "A"', '{"source":"a \\"city\\":\\"x\\"","city" : "Zürich \\"A\\""}'],
    ["oslo", '{"city":"oslo","source":"mine"}'],
    ["  ", '{"city":"  ","source":"mine"}'],
    ["", '{"city":7,"source":"mine"}'],
  ]);
});
