import { beforeAll, describe, expect, test } from "bun:test";
import { FAVOURITES_MAX, favouritesFirst, withFavourite } from "../../../../server/pages/frame/favourites.ts";
import { FakeServices } from "../../../support/fake-services.ts";
import { pageApp, type PageApp } from "../../../support/page-app.ts";

let app: PageApp;
beforeAll(async () => {
  const services = new FakeServices();
  services.cityList = [
    { name: "Station 0007", slug: "station-7", latitude: null, longitude: null, zone: null },
  ];
  app = await pageApp(services);
});

describe("POST /favourites", () => {
  test("adds and removes, keeps the choice in a cookie, and leads back", async () => {
    const added = await app.post("/favourites", { add: "station-7", back: "/?q=station&page=2" });
    expect([added.status, added.headers.get("location")]).toEqual([303, "/?q=station&page=2"]);
    expect(added.headers.get("set-cookie")).toStartWith("favourites=station-7; Path=/; Max-Age=31536000");
    const removed = await app.post("/favourites", { remove: "station-7", back: "//evil.example" });
    expect(removed.headers.get("set-cookie")).toStartWith("favourites=; ");
    expect(removed.headers.get("location")).toBe("/");
  });

  test("refuses a city that is not there", async () => {
    expect((await app.post("/favourites", { add: "atlantis" })).status).toBe(404);
  });
});

test("withFavourite() keeps the order, doubles nothing and has an end", () => {
  expect(withFavourite(["b"], "a")).toEqual(["b", "a"]);
  expect(withFavourite(["b", "a"], "b")).toEqual(["b", "a"]);
  const full = Array.from({ length: FAVOURITES_MAX }, (_, i) => `city-${i}`);
  expect(() => withFavourite(full, "a")).toThrow("Cannot keep another favourite");
});

test("favouritesFirst() keeps the order of both", () => {
  const places = ["a", "b", "c"].map((slug) => ({
    name: slug,
    slug,
    latitude: null,
    longitude: null,
    zone: null,
  }));
  expect(favouritesFirst(places, ["c", "x", "b"]).map(({ slug }) => slug)).toEqual(["c", "b", "a"]);
});
