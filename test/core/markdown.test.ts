import { expect, test } from "bun:test";
import { markdownTable } from "../../core/markdown.ts";

test("markdownTable() makes columns as wide as their widest cell, and puts numbers to the right", () => {
  const table = markdownTable(
    ["City", "n"],
    [
      ["London", 4],
      ["Rio", 1_234],
    ],
  );
  expect(table.split("\n")).toEqual([
    "| City   |    n |",
    "| ------ | ---: |",
    "| London |    4 |",
    "| Rio    | 1234 |",
  ]);
});
