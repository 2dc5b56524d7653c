import { describe, expect, test } from "bun:test";
import { apiPage } from "../../../server/api/docs.ts";
import { ENDPOINTS } from "../../../server/routes/endpoints.ts";
import { ERRORS, errorStatuses, openApiDocument, openApiPath } from "../../../server/api/openapi.ts";
import type { JsonSchema } from "../../../server/api/schema.ts";
import { alertRoutes } from "../../../server/routes/alerts/alerts.ts";
import { stationRoutes } from "../../../server/routes/stations/stations.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { testApi } from "../../support/api-app.ts";
import { FakeServices } from "../../support/fake-services.ts";
import { misfits } from "../../support/json-schema.ts";

const named = ENDPOINTS.map((one) => [`${one.method} ${one.path}`, one] as const);

describe("ENDPOINTS", () => {
  test("has every route of the application, and no other", () => {
    const no = () => expect.unreachable();
    const intake = { stationOf: no, take: no, noteWrongPath: no };
    const alerts = alertRoutes({ services: new FakeServices(), alerts: null, clock: new FakeClock() });
    const { app, hub } = testApi({ plugins: [alerts, stationRoutes(intake)] });
    hub.close();
    const routes = app.routes
      .map(({ method, path }) => `${method} ${path}`)
      .filter((route) => route !== "GET /api/openapi.json");
    // Both protocols of stations take GET and POST, and are described by the one they use.
    const described = named
      .map(([name]) => name)
      .concat(["POST /weatherstation/updateweatherstation.php", "GET /data/report", "GET /data/report/:key"]);
    expect(routes.toSorted()).toEqual(described.toSorted());
  });
  test.each(named)("%s shows answers that fit their schema, to the last key", (_name, { answers }) => {
    for (const { example, content } of answers) {
      if (example === undefined) continue;
      expect(misfits(content["application/json"]!, example, { closed: true })).toEqual([]);
    }
  });
  test.each(named)(
    "%s has a segment for each part of its path, and a known status for each error",
    (_name, one) => {
      const parts = [...one.path.matchAll(/:(\w+)/g)].map(([, name]) => name!);
      expect(Object.keys(one.segments ?? {})).toEqual(parts);
      for (const status of errorStatuses(one)) expect(ERRORS[status]).toBeDefined();
    },
  );
});

describe("openApiDocument()", () => {
  interface Operation {
    operationId: string;
    parameters?: { name: string; in: string; schema: JsonSchema; example: unknown }[];
    responses: Record<string, { content?: Record<string, object> }>;
  }
  const document = JSON.parse(JSON.stringify(openApiDocument(ENDPOINTS, "1.2.3"))) as {
    openapi: string;
    info: { version: string };
    paths: Record<string, Record<string, Operation>>;
    components: { schemas: Record<string, JsonSchema> };
  };
  const operations = Object.values(document.paths).flatMap((path) => Object.values(path));
  test("has each endpoint once, under its path and method", () => {
    expect(document.openapi).toBe("3.1.0");
    expect(document.info.version).toBe("1.2.3");
    expect(operations).toHaveLength(ENDPOINTS.length);
    for (const { method, path, id } of ENDPOINTS) {
      expect(document.paths[openApiPath(path)]?.[method.toLowerCase()]?.operationId).toBe(id);
    }
    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(ENDPOINTS.length);
  });
  test("has references that lead somewhere, and examples of parameters that fit their schema", () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(([, one]) => one!);
    expect(references.length).toBeGreaterThan(0);
    for (const reference of references) {
      expect(document.components.schemas).toHaveProperty(reference.replace("#/components/schemas/", ""));
    }
    for (const { parameters = [] } of operations) {
      for (const { name, schema, example } of parameters) {
        expect([name, misfits(schema, example, { closed: true })]).toEqual([name, []]);
      }
    }
  });
  test("says what a station may send, in the query or in the form", () => {
    const paths = document.paths as unknown as Record<string, Record<string, object>>;
    expect(paths["/weatherstation/updateweatherstation.php"]?.get).toMatchObject({
      parameters: expect.arrayContaining([
        expect.objectContaining({ name: "tempf", in: "query", schema: { type: "number", "x-unit": "°F" } }),
      ]),
    });
    const form = "application/x-www-form-urlencoded";
    expect(paths["/data/report"]?.post).toMatchObject({
      requestBody: { content: { [form]: { schema: { properties: { PASSKEY: { type: "string" } } } } } },
    });
  });
  test("is served as JSON, compressed for who accepts it", async () => {
    const { call, hub } = testApi();
    const plain = await call("/api/openapi.json");
    expect(plain.headers.get("content-type")).toStartWith("application/json");
    expect(await plain.json()).toEqual(JSON.parse(JSON.stringify(openApiDocument(ENDPOINTS, "0.1.0"))));
    const packed = await call("/api/openapi.json", { headers: { "accept-encoding": "gzip" } });
    expect(packed.headers.get("content-encoding")).toBe("gzip");
    expect((await call("/api/openapi.json?x=1")).status).toBe(400);
    hub.close();
  });
});

describe("apiPage()", () => {
  const page = apiPage(ENDPOINTS);
  const anchors = [...page.matchAll(/^#+ (.+)$/gm)].map(([, title]) =>
    title!
      .toLowerCase()
      .replace(/[^\w\- ]/g, "")
      .replaceAll(" ", "-"),
  );
  test("has a section for each endpoint, with every parameter of it", () => {
    for (const one of ENDPOINTS) {
      const start = page.indexOf(`\n### ${one.method} ${openApiPath(one.path)}\n`);
      expect(start).toBeGreaterThan(0);
      const section = page.slice(start, page.indexOf("\n### ", start + 1));
      for (const name of Object.keys(one.query ?? {})) expect(section).toContain(`| \`${name}\``);
    }
  });
  test("has no link within itself that leads nowhere", () => {
    for (const [, anchor] of page.matchAll(/\]\(#([^)]+)\)/g)) expect(anchors).toContain(anchor!);
  });
});
