import { expect, test } from "bun:test";
import { RequestError } from "../../../../core/errors.ts";
import { createLogger } from "../../../../core/log.ts";
import { latePart } from "../../../../server/pages/frame/late-part.ts";

function logOf() {
  const lines: Record<string, unknown>[] = [];
  const write = (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>);
  return { logger: createLogger({ level: "debug", format: "json", write }), lines };
}

test("latePart() begins after what is under way, and gives the HTML as it was made", async () => {
  const { logger, lines } = logOf();
  let begun = false;
  const made = latePart(
    logger,
    "the chart",
    () => ((begun = true), Promise.resolve("<p>5 °C</p>")),
    "<p>no</p>",
  );
  expect(begun).toBe(false);
  expect(await made).toBe("<p>5 °C</p>");
  expect(lines).toEqual([]);
});

const failures: [string, () => Promise<string>][] = [
  [
    "throws",
    () => {
      throw new RequestError("not_found", "there is none");
    },
  ],
  ["rejects", () => Promise.reject(new RequestError("not_found", "there is none"))],
];
for (const [how, make] of failures) {
  test(`latePart() puts a note in the place of what ${how}, and logs why`, async () => {
    const { logger, lines } = logOf();
    expect(await latePart(logger, "the chart", make, "<p>no</p>")).toBe("<p>no</p>");
    expect(lines).toMatchObject([
      { level: "error", message: "Cannot show the chart: there is none", code: "not_found" },
    ]);
  });
}
