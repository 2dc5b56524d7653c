import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { treaty } from "@elysiajs/eden";
import type { IsobarApi } from "../../../docs/client/isobar-api.ts";
import { eventually, startHere, temporaryFolder, type TestProgram } from "../../support/running.ts";

const EXAMPLE = join(import.meta.dir, "../../../docs/client/example.ts");

describe("the typed client", () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let program: TestProgram;
  beforeAll(async () => {
    folder = await temporaryFolder();
    program = await startHere({ DATA_DIR: folder.path });
    await eventually("observations are committed", async () => {
      const { body } = await program.get("/api/v1/observations?city=london&limit=1");
      return body.rows.length > 0 || undefined;
    });
  });
  afterAll(async () => {
    await program[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  test("runs as docs/client/example.ts shows it", async () => {
    const child = Bun.spawn([process.execPath, "--no-env-file", EXAMPLE, program.url.origin], {
      stdout: "pipe",
      stderr: "pipe",
    });
    const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
    expect([code, err]).toEqual([0, ""]);
    expect(out).toMatch(/^London: -?[\d.]+ °C/m);
    expect(out).toMatch(/^[1-3] rows, temperature in °C$/m);
    expect(out).toMatch(/^not_found$/m);
  });

  test("knows what an endpoint takes: the gate's compiler refuses the rest", async () => {
    const { api } = treaty<IsobarApi>(program.url.origin, { parseDate: false });
    // @ts-expect-error -- a parameter that is not there
    const misspelt = await api.v1.observations.get({ query: { citty: "london" } });
    expect(misspelt.error?.status as number).toBe(400);
    // @ts-expect-error -- a parameter that must be there
    expect((await api.v1.observations.why.get()).error?.status).toBe(400);
    const started = await api.v1.jobs({ name: "daily_summary" }).runs.post();
    const id: string | undefined = started.data?.run.id;
    expect(id).toMatch(/^\w+/);
  });
});
