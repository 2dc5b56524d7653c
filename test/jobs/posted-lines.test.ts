import { expect, test } from "bun:test";
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
  expect(await appendLines(log, lines)).toEqual({ appended: 6 });
  expect((await log.read(0, 0, 10)).map(({ value }) => value)).toEqual([
    '{"source":"api","city": "London", "temperature": 4.20}',
    '{"city": "London", "source": "mine"}',
    '{"source":"api","city": "London", "temperature": 1e999}',
    "{}",
    "[1]",
    "not json",
  ]);
});
