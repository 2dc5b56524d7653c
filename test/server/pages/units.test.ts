import { beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { analysedWorld } from "../../support/analysed-world.ts";
import { type FakeServices, NOW } from "../../support/fake-services.ts";
import { pageApp, type PageApp, wordsOf } from "../../support/page-app.ts";

let world: FakeServices;
let app: PageApp;
beforeAll(async () => {
  world = await analysedWorld(NOW);
});
beforeEach(async () => {
  app = await pageApp(world);
});

const cookie = (units: string) => ({ cookie: `theme=dark; units=${units}` });

describe("a reader's units", () => {
  test("convert every temperature, wind, pressure and rain of the page", async () => {
    const words = wordsOf(await app.text("/cities/london", cookie("F.mph.inHg.in.city")));
    expect(words).not.toContain("°C");
    expect(words).not.toContain("hPa");
    expect(words).not.toContain("m/s");
    expect(words).toContain("°F");
    expect(words).toMatch(/Pressure (29|30)\.\d\d inHg/);
    const [metric] = /London (\d+\.\d)° \+/.exec(wordsOf(await app.text("/cities/london"))) ?? [];
    expect(words).not.toContain(metric);
  });

  test("show local time of the city where that is wanted", async () => {
    const words = wordsOf(await app.text("/cities/dubai", cookie("C.ms.hPa.mm.city")));
    expect(words).toMatch(/next 48 h, (GST|GMT\+4)/);
    expect(wordsOf(await app.text("/cities/dubai"))).toContain("next 48 h, UTC");
  });

  test("are kept by a plain form, and lead back to the page they came from", async () => {
    const page = await app.text("/units?back=/cities/london", cookie("F.kmh.hPa.mm.utc"));
    expect(page).toMatch(/name="temperature" value="F" checked/);
    const fields = { temperature: "F", wind: "mph", pressure: "nonsense", rain: "in", time: "city" };
    const kept = await app.post("/units", { ...fields, back: "/cities/london" });
    expect([kept.status, kept.headers.get("location")]).toEqual([303, "/cities/london"]);
    expect(kept.headers.get("set-cookie")).toStartWith("units=F.mph.hPa.in.city.no; Path=/;");
    for (const back of ["//evil.example", "https://evil.example", "/\\evil.example", ""]) {
      expect((await app.post("/units", { back })).headers.get("location")).toBe("/");
    }
  });
});

test("a page is loaded anew every 60 s where no script runs and the reader wants it, and else never", async () => {
  const meta = `<noscript><meta http-equiv="refresh" content="60"`;
  expect(await app.text("/pipeline", cookie("C.ms.hPa.mm.utc.60"))).toContain(meta);
  expect(await app.text("/?whole=1", cookie("C.ms.hPa.mm.utc.60"))).toContain(meta);
  expect(await app.text("/pipeline")).not.toContain("http-equiv");
});
