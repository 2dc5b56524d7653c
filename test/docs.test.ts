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
