import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { isRecordHeader } from "../../jobs/sources/csv.ts";
import { parquetReader } from "../crash/parquet.ts";
import {
  eventually,
  getJson,
  type Json,
  postLines,
  startHere,
  type TestProgram,
} from "../support/running.ts";
import { wordsOf } from "../support/page-app.ts";
import { compactedDay, openMeteoWithUvIndex, settings, timeOf } from "./weather.ts";

// Run by added-variable.test.ts in a program that knows the UV index, over a lake that was written without it.
const { OLD_LAKE: folder = "", OLD_PARQUET: oldParquet = "" } = process.env;

describe("the UV index", () => {
  const provider = openMeteoWithUvIndex(6.4);
  /** What the webhook got. */
  const messages: Json[] = [];
  const receiver = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: async (request) => {
      messages.push(await request.json());
      return new Response(null, { status: 204 });
    },
  });
  let program: TestProgram;
  beforeAll(async () => {
    const alerts = join(folder, "alerts.json");
    const channels = [{ name: "ops", type: "webhook", url: `http://localhost:${receiver.port}/` }];
    await Bun.write(alerts, JSON.stringify({ channels }));
    program = await startHere({
      ...(await settings(folder, provider.endpoint)),
      ALERTS_FILE: alerts,
      ALERT_WEBHOOK_HOSTS: "localhost",
    });
  });
  afterAll(async () => {
    await program[Symbol.asyncDispose]();
    await provider[Symbol.asyncDispose]();
    await receiver.stop(true);
  });
  const words = async (path: string) => wordsOf(await (await fetch(new URL(path, program.url))).text());

  test("comes from the source to the newest values, with its unit and judged by its limits", async () => {
    const { units, rows } = await eventually("the source's report is judged", async () => {
      const { body } = await program.get("/api/v1/current?city=london");
      const [row] = body.rows as Json[];
      return row?.uv_index === 6.4 && row.uv_index_flag !== null ? body : undefined;
    });
    expect([units.uv_index, rows[0].uv_index_flag]).toEqual(["1", 1]);
  });

  test("is flagged where it is unlikely, and kept as it came where it is not possible", async () => {
    const wall = (hour: number, uvIndex: number) =>
      JSON.stringify({ timestamp: timeOf(1, hour), city: "London", source: "wall", uv_index: uvIndex });
    await postLines(program.url, [wall(6, 20), wall(7, 51)]);
    const [row, impossible] = await eventually("both are committed", async () => {
      const query = `from=${timeOf(1, 0)}&to=${timeOf(0, 0)}`;
      const { status, body } = await program.get(`/api/v1/observations?city=london&${query}`);
      expect([status, body.error]).toEqual([200, undefined]);
      const found = body.rows.filter(({ source }: Json) => source === "wall") as Json[];
      return found.length === 2 ? found : undefined;
    });
    expect([row.uv_index, row.uv_index_flag, row.q_gross, row.flag]).toEqual([20, 3, 3, 3]);
    expect([impossible.uv_index, impossible.impossible]).toEqual([null, '{"uv_index":"51"}']);
    expect([impossible.uv_index_flag, impossible.flag]).toEqual([4, 4]);
  });

  test("is compacted to Parquet beside a file of the program that did not know it", async () => {
    const read = await parquetReader();
    const rows = await read(await compactedDay(program.url, folder, 2, { uv_index: 3.1 }));
    expect(rows.map((row) => row.uv_index)).toEqual([3.1, 3.1, 3.1]);
    const [old] = await read(oldParquet);
    expect(old).toMatchObject({ temperature: 4.5 });
    expect(Object.keys(old ?? {})).not.toContain("uv_index");
  });

  test("is in the API's rows of old and new files, as JSON and as CSV, and in what describes them", async () => {
    const path = `/api/v1/observations?city=london&from=${timeOf(3, 0)}&to=${timeOf(1, 0)}`;
    const { body } = await program.get(path);
    expect(body.units.uv_index).toBe("1");
    expect(body.rows.map((row: Json) => [row.temperature, row.uv_index, row.uv_index_flag])).toEqual([
      ...[4.5, 4.5, 4.5].map((temperature) => [temperature, null, 9]),
      ...[3.1, 3.1, 3.1].map((uvIndex) => [null, uvIndex, 1]),
    ]);
    const csv = await (await fetch(new URL(`${path}&format=csv`, program.url))).text();
    const [head = [], ...lines] = csv
      .trimEnd()
      .split("\r\n")
      .map((line) => line.split(","));
    const column = head.indexOf("uv_index");
    expect(lines.map((line) => line[column])).toEqual(["", "", "", "3.1", "3.1", "3.1"]);
    expect(isRecordHeader(["timestamp", "city", "uv_index"])).toBe(true);
    const openApi = await program.get("/api/openapi.json");
    expect(JSON.stringify(openApi.body)).toContain(
      '"uv_index":{"type":["number","null"],"description":"UV index, 1"',
    );
  });

  test("is on the pages: the newest value, its course, why it is there, and the form of rules", async () => {
    expect(await words("/cities/london")).toContain("UV index 6.4");
    const week = await (await fetch(new URL("/cities/london?range=7d", program.url))).text();
    expect(week).toMatch(/aria-label="UV index of London[^"]*: from 3\.1 to 20\.0/);
    await eventually("the page that tells why has it", async () =>
      (await words("/why?city=london")).includes("UV index 6.4 good") ? true : undefined,
    );
    expect(await words("/alerts")).toContain("uv index");
  });

  test("raises the alert of a rule", async () => {
    const rule = { name: "Sunburn", city: "london", variable: "uv_index", above: 8, channels: ["ops"] };
    const made = await getJson(program.url, "/api/v1/alerts/rules", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(rule),
    });
    expect(made.status).toBe(201);
    const timestamp = new Date(Math.floor(Date.now() / 1000) * 1000).toISOString();
    await postLines(program.url, [
      JSON.stringify({ timestamp, city: "London", source: "roof", uv_index: 9.5 }),
    ]);
    const alert = await eventually("the message arrives", () => messages[0]);
    expect(alert).toMatchObject({ type: "alert", watches: "uv_index", observed: 9.5, unit: "1" });
    expect(alert.text).toStartWith("Sunburn: London, uv index 9.5 (limit: above 8) at ");
  });
});
