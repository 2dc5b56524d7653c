import { beforeAll, describe, expect, test } from "bun:test";
import { FakeServices, NOW, observation } from "../../support/fake-services.ts";
import { pageApp, type PageApp, wordsOf } from "../../support/page-app.ts";

/** Cities of the fake world, all of which have reported. */
const COUNT = 2000;

let app: PageApp;
beforeAll(async () => {
  const services = new FakeServices();
  const name = (i: number) => (i === 1987 ? "São Tomé" : `Station ${String(i).padStart(4, "0")}`);
  services.cityList = Array.from({ length: COUNT }, (_, i) => ({
    name: name(i),
    slug: i === 1987 ? "sao-tome" : `station-${i}`,
    latitude: null,
    longitude: null,
    zone: null,
  }));
  services.currentList = services.cityList.map((place, offset) => ({
    observation: observation({ city: place.name, temperature: offset % 30 }),
    offset,
    receivedMs: NOW,
    judgement: null,
  }));
  app = await pageApp(services);
});

const rowsOf = (html: string) => [...html.matchAll(/<tr data-city="([^"]*)"/g)].map(([, city]) => city);
const cardsOf = (html: string) =>
  [...html.matchAll(/<li class="card" data-city="([^"]*)"/g)].map(([, city]) => city);
const favouring = (...slugs: string[]) => ({ cookie: `theme=dark; favourites=${slugs.join(".")}` });

describe("GET / with thousands of cities", () => {
  test("never ships all of them, and stays small", async () => {
    const html = await app.text("/?whole=1");
    expect(cardsOf(html)).toHaveLength(8);
    expect(rowsOf(html)).toHaveLength(50);
    expect(html.length).toBeLessThan(150_000);
    expect(wordsOf(html)).toContain("More cities 1992 of 2000");
    expect(wordsOf(html)).toContain("Page 1 of 40");
  });

  test("pages hear live of the cities they show, and of no other", async () => {
    const liveOf = (html: string) =>
      new URL(/data-live="([^"]*)"/.exec(html)?.[1]?.replaceAll("&amp;", "&") ?? "", "http://localhost")
        .searchParams;
    const html = await app.text("/?page=3", favouring("sao-tome"));
    const slugs = liveOf(html).get("city")?.split(",") ?? [];
    expect(slugs).toHaveLength(cardsOf(html).length + rowsOf(html).length);
    expect(slugs.slice(0, 2)).toEqual(["sao-tome", "station-0"]);
    expect(slugs.at(-1)).toBe(`station-${Number(rowsOf(html).at(-1)?.slice(-4))}`);
    expect(liveOf(await app.text("/cities/station-77")).get("city")).toBe("station-77");
    expect(
      liveOf(await app.text("/about"))
        .get("city")
        ?.split(","),
    ).toHaveLength(8);
    expect(liveOf(await app.text("/pipeline")).get("types")).toContain("status");
    const few = await pageApp(new FakeServices());
    expect(liveOf(await few.text("/")).get("city")).toBeNull();
  });

  test("pages through all of them, each once, by plain links", async () => {
    const seen = cardsOf(await app.text("/"));
    let path: string | undefined = "/";
    for (let pages = 0; path !== undefined; pages++) {
      expect(pages).toBeLessThan(40);
      const html: string = await app.text(path);
      seen.push(...rowsOf(html));
      path = /<a rel="next" href="([^"]*)"/.exec(html)?.[1]?.replaceAll("&amp;", "&");
    }
    expect(seen).toHaveLength(COUNT);
    expect(new Set(seen).size).toBe(COUNT);
    expect(rowsOf(await app.text("/?page=999"))).toEqual(rowsOf(await app.text("/?page=40")));
  });

  test("a search finds a city of a late page, without its accents, and keeps its pages", async () => {
    expect(rowsOf(await app.text("/?q=sao%20tom"))).toEqual(["São Tomé"]);
    expect(rowsOf(await app.text("/?q=0001"))).toEqual(["Station 0001"]); // of a card too
    const many = await app.text("/?q=station+1");
    expect(wordsOf(many)).toContain("Cities found 999 of 2000");
    expect(many).toContain(`href="/?q=station+1&amp;page=2"`);
    expect(many).toContain(`name="q" type="search" maxlength="100" value="station 1"`);
    const none = await app.text(`/?q=${encodeURIComponent(`"><script>`)}`);
    expect(none).not.toContain("<script>");
    expect(wordsOf(none)).toContain('No city has “"><script>” in its name.');
    expect((await app.get(`/?q=${"x".repeat(101)}`)).status).toBe(400);
    expect((await app.get("/?page=0")).status).toBe(400);
  });

  test("leads a reader without a script to the whole page of the same list", async () => {
    expect(await app.text("/?q=station+1&page=2")).toContain(
      `content="0; url=/?whole=1&amp;q=station+1&amp;page=2"`,
    );
    expect(await app.text("/?whole=1&q=station")).toContain(`<input type="hidden" name="whole" value="1"`);
  });

  test("a reader's favourites come first, in cards and in the chart", async () => {
    const html = await app.text("/?whole=1", favouring("sao-tome", "gone", "station-42"));
    expect(cardsOf(html).slice(0, 3)).toEqual(["São Tomé", "Station 0042", "Station 0000"]);
    expect(html).toMatch(/name="remove" value="sao-tome"[^>]*aria-pressed="true"/);
    const chart = await app.get("/chart/temperature", favouring("sao-tome"));
    const { series } = (await chart.json()) as { series: { city: string }[] };
    expect(series.map(({ city }) => city).slice(0, 2)).toEqual(["São Tomé", "Station 0000"]);
    expect(rowsOf(html)).not.toContain("Station 0042");
  });

  test("other pages let a city be typed instead of listing all", async () => {
    for (const path of ["/anomalies", "/cities/station-1"]) {
      const html = await app.text(path);
      expect(html.length).toBeLessThan(150_000);
      expect(html).not.toContain('<option value="station-2"');
    }
    const compared = await app.text("/cities/station-1?compare=S%C3%A3o%20Tom%C3%A9");
    expect(compared).toContain(`value="sao-tome"`);
  });
});
