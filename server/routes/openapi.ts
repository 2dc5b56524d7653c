import { Elysia } from "elysia";
import { headersOf } from "../answer.ts";
import { openApiDocument } from "../api/openapi.ts";
import type { WebContext } from "../context.ts";
import { Parameters } from "../parameters.ts";
import { Payload } from "../payload.ts";

/** Where the API describes itself. */
export const OPENAPI_PATH = "/api/openapi.json";

/** The API's description for programs: OpenAPI 3.1. */
export function openApiRoutes(context: WebContext) {
  const payload = new Payload(JSON.stringify(openApiDocument(context.services.about.version)), "json", {
    kept: true,
  });
  return new Elysia().get(OPENAPI_PATH, ({ request }) => {
    new Parameters(request, []);
    return payload.respond(request, {
      headers: { ...headersOf(context, "json"), "cache-control": "no-cache" },
    });
  });
}
