import { describe, expect, test } from "bun:test";
import { buildAssets } from "../../../server/pages/frame/assets.ts";
import { ENDPOINTS } from "../../../server/routes/endpoints.ts";
import { openApiPath } from "../../../server/api/openapi.ts";
import { apiPageRoutes } from "../../../server/pages/api.tsx";
import { ApiPage } from "../../../views/pages/api/api.tsx";
import { FakeClock } from "../../support/fake-clock.ts";
import { testApi } from "../../support/api-app.ts";
import { FakeServices } from "../../support/fake-services.ts";

describe("/api", () => {
  test("is a page with every endpoint, where each link within it leads somewhere, and nothing from elsewhere", async () => {
    const pages = { services: new FakeServices(), assets: await buildAssets(), clock: new FakeClock() };
    const { call, hub } = testApi({ plugins: [apiPageRoutes(pages)] });
    const response = await call("/api");
    expect([response.status, response.headers.get("content-type")]).toEqual([
      200,
      "text/html; charset=utf-8",
    ]);
    const html = await response.text();
    const titles = [...html.matchAll(/<h3[^>]*>(.*?)<\/h3>/gs)].map(([, title]) =>
      title!.replace(/<[^>]+>/g, "").trim(),
    );
    expect(titles.toSorted()).toEqual(
      ENDPOINTS.map(({ method, path }) => `${method} ${openApiPath(path)}`).toSorted(),
    );
    const ids = new Set([...html.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id));
    for (const [, anchor] of html.matchAll(/href="#([^"]+)"/g)) expect(ids).toContain(anchor);
    expect(html).toContain('href="/api/openapi.json"');
    expect([...html.matchAll(/(?:src|href)="((?:https?:)?\/\/[^"]*)"/g)].map(([, url]) => url)).toEqual([]);
    expect((await call("/api?x=1")).status).toBe(400);
    hub.close();
  });
});

describe("ApiPage", () => {
  test("escapes every text", async () => {
    const evil = `<img src=x onerror="1">\`<b>\``;
    const one = {
      anchor: `"><b>`,
      title: evil,
      about: evil,
      parameters: [{ name: evil, where: evil, values: evil, meaning: evil }],
      examples: [{ title: evil, command: evil }],
      answers: [{ head: evil, example: evil }],
      errors: evil,
    };
    const html = String(
      <ApiPage document={`"><b>`} groups={[{ name: `"><b>`, about: evil, endpoints: [one] }]} />,
    );
    expect(html).not.toContain("<img");
    expect(html).not.toContain("<b>");
    expect(html).not.toContain('""');
  });
});
