import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { ROOMS } from "./rooms.ts";

const root = join(import.meta.dir, "..");
const pages = [...new Bun.Glob("docs/*.md").scanSync({ cwd: root })].sort();

describe("docs/", () => {
  test.each(pages)("%s names files and pages that are there", async (page) => {
    const text = await Bun.file(join(root, page)).text();
    const rooms = Object.keys(ROOMS).join("|");
    const files = [...text.matchAll(new RegExp(`\`((?:${rooms}|docs)/[\\w./-]+\\.\\w+)\``, "g"))];
    const links = [...text.matchAll(/\]\((?!https?:)([^)#]+)[^)]*\)/g)].map(([, link]) => `docs/${link}`);
    const missing = [...files.map(([, file]) => file!), ...links].filter(
      (path) => !existsSync(join(root, path)),
    );
    expect(missing).toEqual([]);
  });

  test("docs/architecture.md has the rooms' import table", async () => {
    const text = await Bun.file(join(root, "docs/architecture.md")).text();
    const listed = [...text.matchAll(/^\| `(\w+)\/` +\|[^|]+\| ([^|]+?) +\| (yes|no) +\|$/gm)];
    const table = listed.map(([, room, rooms, packages]) => [
      room,
      {
        rooms: rooms === "all" ? "*" : rooms === "nothing" ? [] : rooms!.split(", "),
        packages: packages === "yes",
      },
    ]);
    expect(Object.fromEntries(table)).toEqual(ROOMS);
  });
});

/** The rows of a page's tables, cell by cell, without heads and rules. */
function rowsOf(text: string): string[][] {
  const rows = [...text.matchAll(/^\| (?!---)(.+) \|$/gm)].map(([, row]) =>
    row!.split(" | ").map((cell) => cell.trim()),
  );
  return rows.filter((cells) => !/^(-+|Term|Question)$/.test(cells[0]!));
}

/** What a cell names and the tree lacks: paths, and symbols in brackets after the path of their file. */
async function missingPlaces(cell: string): Promise<string[]> {
  const rooms = Object.keys(ROOMS).join("|");
  const named = [...cell.matchAll(new RegExp(`\`((?:${rooms})/[\\w./-]*)\`(?: \\(\`([^\`]+)\`\\))?`, "g"))];
  if (named.length === 0) return [`no path in "${cell}"`];
  const missing: string[] = [];
  for (const [, path, symbol] of named) {
    const full = join(root, path!);
    if (!existsSync(full)) missing.push(path!);
    else if (symbol !== undefined && !(await Bun.file(full).text()).includes(symbol))
      missing.push(`${symbol} in ${path}`);
  }
  return missing;
}

describe("docs/glossary.md", () => {
  test("has its terms in alphabetical order, each with a meaning and a place that is there", async () => {
    const rows = rowsOf(await Bun.file(join(root, "docs/glossary.md")).text());
    expect(rows.length).toBeGreaterThanOrEqual(40);
    const terms = rows.map(([term]) => term!.toLowerCase());
    expect(terms).toEqual(terms.toSorted((a, b) => a.localeCompare(b, "en")));
    const missing: string[] = [];
    for (const cells of rows) {
      expect(cells).toHaveLength(3);
      missing.push(...(await missingPlaces(cells[2]!)));
    }
    expect(missing).toEqual([]);
  });
});

describe("CONTRIBUTING.md", () => {
  test("answers where things are with places that are there", async () => {
    const text = await Bun.file(join(root, "CONTRIBUTING.md")).text();
    const section = text.split("## Where is it?\n")[1]!.split("\n## ")[0]!;
    const rows = rowsOf(section);
    expect(rows).toHaveLength(13);
    const missing: string[] = [];
    for (const [question, answer] of rows) {
      expect(question).toEndWith("?");
      missing.push(...(await missingPlaces(answer!)));
    }
    expect(missing).toEqual([]);
  });
});
