import { beforeEach, describe, expect, test } from "bun:test";
import type { History } from "../../../core/chart-history.ts";
import { HOUR_MS } from "../../../core/time.ts";
import type { RowQuery } from "../../../jobs/readers/lake-queries.ts";
import { type FakeServices, NOW } from "../../support/fake-services.ts";
import { pageApp } from "../../support/page-app.ts";
import { worldOf } from "../../support/world.ts";

const CITIES = ["Oslo", "Rome", "Cairo", "Lima", "Quito"];

let services: FakeServices;
beforeEach(() => {
  services = worldOf(CITIES, NOW);
});

const get = async (path: string): Promise<Response> => (await pageApp(services)).get(path);

describe("GET /chart/temperature", () => {
  test("gives at most eight cities, each with a break for its gap", async () => {
    services = worldOf(["A", "B", "C", "D", "E", "F", "G", "H", "I", "J"], NOW);
    const body = (await (await get("/chart/temperature?hours=24")).json()) as History;
    expect(body.series.map(({ city }) => city)).toEqual([..."ABCDEFGH"]);
    expect(body.to - body.from).toBeCloseTo(86_400, 1);
    const [whole, gap] = body.series;
    expect(whole?.t).toHaveLength(145);
    expect(whole?.v).not.toContain(null);
    expect(whole?.t.at(-1)).toBe(NOW / 1000);
    expect(gap?.v.filter((v) => v === null)).toHaveLength(1);
  });

  test("asks the lake for the hours wanted", async () => {
    const asked: RowQuery[] = [];
    services.observations = (query) => {
      asked.push(query);
      return Promise.resolve({ rows: [], more: false });
    };
    await get("/chart/temperature?hours=6");
    expect(asked).toHaveLength(CITIES.length);
    for (const { from } of asked) expect(from).toBe(NOW - 6 * HOUR_MS);
  });

  test("refuses wrong and unknown parameters by name", async () => {
    for (const query of ["hours=0", "hours=169", "hours=x", "hours=1&hours=2"]) {
      const response = await get(`/chart/temperature?${query}`);
      expect(response.status).toBe(400);
      expect(await response.text()).toContain("The parameter hours");
    }
    expect((await get("/chart/temperature?hour=1")).status).toBe(400);
    expect((await get("/?x=1")).status).toBe(400);
  });
});
