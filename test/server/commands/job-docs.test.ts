import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { jobsPage } from "../../../server/commands/docs/job-docs.ts";
import { readSqlJobs } from "../../../spark/sql-job.ts";

const path = join(import.meta.dir, "../../../docs/jobs.md");

describe("docs/jobs.md", () => {
  test("is what `bun run docs` makes of the jobs of now", async () => {
    expect(await Bun.file(path).text()).toBe(await jobsPage());
  });

  test("has a section for each job with its parameters, and notes for no other", async () => {
    const text = await Bun.file(path).text();
    const jobs = await readSqlJobs();
    const sections = text.split(/^## /m).slice(1);
    expect(sections.map((section) => section.split("\n")[0]!)).toEqual(jobs.map(({ name }) => name));
    for (const [index, { parameters, question }] of jobs.entries()) {
      expect(sections[index]).toContain(question);
      for (const { name, description } of parameters) {
        expect(sections[index]).toContain(`\`${name}\``);
        expect(sections[index]).toContain(description);
      }
    }
  });
});
