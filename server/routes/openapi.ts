import { Elysia } from "elysia";
import { headersOf } from "../http/answer.ts";
import { openApiDocument } from "../api/openapi.ts";
import type { WebContext } from "../http/context.ts";
import { Parameters } from "../http/parameters.ts";
import { ENDPOINTS } from "./endpoints.ts";
import { Payload } from "../http/payload.ts";

/** Where the API describes itself. */
export const OPENAPI_PATH = "/api/openapi.json";

/** The API's description for programs: OpenAPI 3.1. */
export function openApiRoutes(context: WebContext) {
  const payload = new Payload(JSON.stringify(openApiDocument(ENDPOINTS, context.services.about.version)), {
    effort: "kept",
  });
  return new Elysia().get(OPENAPI_PATH, ({ request }) => {
    new Parameters(request, []);
    return payload.respond(request, {
      headers: { ...headersOf(context, "json"), "cache-control": "no-cache" },
    });
  });
}
