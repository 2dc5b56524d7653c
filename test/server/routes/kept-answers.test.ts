import { afterAll, beforeAll, expect, test } from "bun:test";
import {
  eventually,
  type Json,
  postLines,
  spawnProgram,
  startHere,
  temporaryFolder,
  type TestProgram,
} from "../../support/running.ts";

/** A report of a day far from what the simulator says. */
const line = (time: string, temperature: number) =>
  JSON.stringify({ timestamp: `2025-07-10T${time}:00Z`, city: "London", temperature, source: "test" });
const DAY = "/api/v1/observations?city=london&from=2025-07-10T00:00:00Z&to=2025-07-11T00:00:00Z";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let program: TestProgram;
beforeAll(async () => {
  folder = await temporaryFolder();
  program = await startHere({ DATA_DIR: folder.path, ANALYTICS_CRON: "0 0 1 1 *", FLUSH_SECONDS: "0.2" });
});
afterAll(async () => {
  await program[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

const rowsNow = async () => {
  const { body } = await program.get(DAY);
  return (body.rows as Json[]).map(
    ({ timestamp, temperature }) => `${String(timestamp).slice(11, 16)} ${temperature}`,
  );
};
const shows = (wanted: string[]) =>
  eventually(`it shows ${wanted.join(", ")}`, async () =>
    (await rowsNow()).join() === wanted.join() ? true : undefined,
  );

test("an equal question gets the kept answer until late data, a revision or a retraction changes it, and then the right one", async () => {
  await postLines(program.url, [line("06:00", 1)]);
  await shows(["06:00 1"]);
  const [first, second] = [await program.get(DAY), await program.get(DAY)];
  expect(second.body).toEqual(first.body); // with the time at which it was made
  const csv = await fetch(new URL(`${DAY}&format=csv`, program.url));
  expect(await csv.text()).toContain("2025-07-10T06:00:00Z");

  await postLines(program.url, [line("05:00", 2)]);
  await shows(["05:00 2", "06:00 1"]);
  await postLines(program.url, [line("06:00", 3)]);
  await shows(["05:00 2", "06:00 3"]);
  const why = await program.get("/api/v1/observations/why?city=london&timestamp=2025-07-10T06:00:00Z");
  const { offset } = why.body.observations[0].record;
  const { code, err } = await spawnProgram("server/commands/retract.ts", { DATA_DIR: folder.path }, [
    "--source",
    "test",
    "--offsets",
    `${offset}-${offset}`,
    "--reason",
    "a test",
    "--dataset",
    "simulated",
  ]).ended;
  expect([code, code === 0 ? "" : err]).toEqual([0, ""]);
  await shows(["05:00 2", "06:00 1"]);
});
