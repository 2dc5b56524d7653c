import { afterEach, beforeAll, expect, test } from "bun:test";
import { analysedWorld } from "../../support/analysed-world.ts";
import { testApi, type TestApi } from "../../support/api-app.ts";
import { FakeServices, NOW } from "../../support/fake-services.ts";

let month: FakeServices;
let twoDays: FakeServices;
beforeAll(async () => {
  month = await analysedWorld(NOW);
  twoDays = await analysedWorld(NOW, 2);
});

const open: TestApi[] = [];
const api = (services: FakeServices) => {
  const made = testApi({ services });
  open.push(made);
  return made;
};
afterEach(() => {
  for (const { hub } of open.splice(0)) hub.close();
});

test("GET /api/v1/verdict says what is unusual and late, of every city or one", async () => {
  const { json } = api(month);
  const { status, body } = await json("/api/v1/verdict");
  expect(status).toBe(200);
  expect(body).toMatchObject({
    as_of: "2026-01-31T12:00:00Z",
    text: "London unusually warm, a step in London, Tokyo is late, 3 as expected",
    too_early: null,
    cities: 5,
    judged: 5,
    late: ["Tokyo"],
    silent: [],
    unusual: [
      { city: "London", kind: "step", side: "above" },
      { city: "London", kind: "unusual", side: "above" },
    ],
    unjudged: [],
  });
  expect((await json("/api/v1/verdict?city=dubai")).body).toMatchObject({
    text: "Nothing unusual in 1 city",
    cities: 1,
    judged: 1,
  });
  expect((await json("/api/v1/verdict?city=atlantis")).status).toBe(404);
});

test("GET /api/v1/verdict says who cannot be judged yet, and until when", async () => {
  const { body } = await api(twoDays).json("/api/v1/verdict");
  expect(body).toMatchObject({
    text: "Tokyo is late, 4 too early to judge until about 8 Feb",
    cities: 5,
    judged: 0,
    days_needed: 10,
    unusual: [],
  });
  expect(body.unjudged).toContainEqual({
    city: "Dubai",
    days: 2,
    judged_from: "2026-02-08T12:00:00Z",
  });
});

test("GET /api/v1/verdict of a recording speaks of its end", async () => {
  const services = new FakeServices();
  services.about = { ...services.about, kind: "replayed" };
  services.cityList = services.cityList.filter(({ name }) => name === "London" || name === "Tokyo");
  const { body } = await api(services).json("/api/v1/verdict");
  expect(body).toMatchObject({
    as_of: "2026-01-31T11:50:00Z",
    text: "Tokyo ends before the recording does, 1 not judged yet",
  });
});
