import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { VARIABLE_NAMES } from "../../core/variables.ts";
import { limitsView, parseLimits, readLimits } from "../../spark/limits.ts";

const root = join(import.meta.dir, "../..");
const text = await Bun.file(join(root, "spark/limits.csv")).text();
const lines = text.trimEnd().split("\n");
const lineOf = (beginning: string) => lines.findIndex((line) => line.startsWith(beginning)) + 1;
const withLine = (beginning: string, line: string) =>
  lines.map((one) => (one.startsWith(beginning) ? line : one)).join("\n");

describe("parseLimits()", () => {
  test("reads every line of the file, empty cells as null", async () => {
    const limits = await readLimits();
    expect(limits).toHaveLength(lines.length - 1);
    expect(limits[0]).toEqual({
      test: "gross",
      variable: "temperature",
      latitude: "low",
      season: "winter",
      hours: null,
      suspect_low: -30,
      suspect_high: 50,
      fail_low: -40,
      fail_high: 55,
      unit: "°C",
      source: "WMO-No. 305",
    });
  });

  const step = "step,temperature,,,2,";
  const at = lineOf(step);
  test.each([
    ["a header of other columns", text.replace("season,", ""), "limits.csv:1: header is"],
    ["a cell too many", withLine(step, `${step},7,,,°C,a,b`), `limits.csv:${at}: 12 cells, wanted 11`],
    [
      "a limit that no test reads",
      withLine(step, "step,temperature,,,4,,7,,,°C,own"),
      `limits.csv:${at}: no test reads`,
    ],
    ["a limit that stands there twice", `${text}${lines[at - 1]}\n`, "stands there twice"],
    ["a limit that is missing", withLine(step, ""), 'there is no limit of "step,temperature,,,2"'],
    [
      "a word in place of a number",
      withLine(step, `${step},many,,,°C,own`),
      `:${at}: suspect_high is "many", wanted a number`,
    ],
    [
      "a bound that is missing",
      withLine(step, `${step},,,,°C,own`),
      `:${at}: suspect_high is empty, wanted a number`,
    ],
    [
      "a bound that no test reads",
      withLine(step, `${step},7,,9,°C,own`),
      `:${at}: fail_high is 9, which no test reads`,
    ],
    [
      "bounds in the wrong order",
      withLine("spike,pressure", "spike,pressure,,,,,3,,2,hPa,own"),
      "wanted fail_low ≤ suspect_low",
    ],
    ["a limit without a source", withLine(step, `${step},7,,,°C,`), `:${at}: source is empty`],
  ])("refuses %s", (_, input, message) => {
    expect(() => parseLimits(input)).toThrow(message);
  });
});

describe("parseLimits(), the test gross", () => {
  const gross = (name: string) => lines.filter((line) => line.startsWith(`gross,${name},`));
  const without = (name: string) => lines.filter((line) => !gross(name).includes(line));

  test("takes limits of a variable by place and season, or one for everywhere", () => {
    const everywhere = "gross,temperature,,,,-90,50,-95,60,°C,own";
    expect(parseLimits([...without("temperature"), everywhere].join("\n"))).toHaveLength(lines.length - 4);
    expect(() => parseLimits([...lines, everywhere].join("\n"))).toThrow(
      'no test reads a limit of "gross,temperature,low,winter,"',
    );
  });

  test("wants limits of every variable", () => {
    for (const name of VARIABLE_NAMES)
      expect(() => parseLimits(without(name).join("\n"))).toThrow(`there is no limit of "gross,${name},`);
    expect(() => parseLimits(`${text}gross,sunshine,,,,0,60,0,60,min,own\n`)).toThrow(
      'no test reads a limit of "gross,sunshine,,,"',
    );
  });
});

test("limitsView() has a row for each limit", async () => {
  const { name, sql } = limitsView(await readLimits());
  expect(name).toBe("limits");
  expect(sql.split("\n")).toHaveLength(lines.length - 1);
});

test("docs/quality.md lists every limit as it is in limits.csv", async () => {
  const page = await Bun.file(join(root, "docs/quality.md")).text();
  const [header = "", ...rows] = page
    .split("\n")
    .filter((line) => line.startsWith("| "))
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim())
        .join(","),
    )
    .filter((line) => line.split(",").length === lines[0]?.split(",").length);
  expect(header).toBe(String(lines[0]));
  expect(rows.filter((row) => !/^-|,-/.test(row) || !/^[-:,]+$/.test(row))).toEqual(lines.slice(1));
});
