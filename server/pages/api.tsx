import { Elysia } from "elysia";
import { ApiPage, type ApiProps } from "../../views/pages/api/api.tsx";
import { anchorOf, curlOf, headOf, parametersOf } from "../api/docs.ts";
import { TAGS } from "../api/endpoint.ts";
import { ENDPOINTS } from "../routes/endpoints.ts";
import { errorStatuses, openApiPath } from "../api/openapi.ts";
import { pageResponse, type PagesOptions } from "./frame/page.tsx";
import { Parameters } from "../http/parameters.ts";
import { OPENAPI_PATH } from "../routes/openapi.ts";

/** The API as a page for people: the same description as docs/api.md and the OpenAPI document, without a script. */
export function apiPageRoutes(options: Pick<PagesOptions, "services" | "assets" | "clock">) {
  const content = <ApiPage {...apiProps()} />;
  return new Elysia().get("/api", ({ request }) => {
    new Parameters(request, []);
    return pageResponse(options, request, { path: null, title: "API" }, content);
  });
}

/** What the page shows. */
export function apiProps(): ApiProps {
  const groups = Object.entries(TAGS).map(([name, about]) => ({
    name,
    about: plain(about),
    endpoints: ENDPOINTS.filter(({ tag }) => tag === name).map((one) => ({
      anchor: anchorOf(one),
      title: `${one.method} ${openApiPath(one.path)}`,
      about: plain(`${one.summary}. ${one.description}`.trim()),
      parameters: parametersOf(one).map((parameter) => ({ ...parameter, meaning: plain(parameter.meaning) })),
      examples: one.examples.map((example) => ({ title: example.title, command: curlOf(one, example) })),
      answers: one.answers.map((answer) => ({
        head: plain(headOf(answer)),
        example: answer.example === undefined ? null : JSON.stringify(answer.example, null, 2),
      })),
      errors: `Errors: ${errorStatuses(one).join(", ")}.`,
    })),
  }));
  return { document: OPENAPI_PATH, groups };
}

/** A text without its links, which lead from page to page of the documentation. */
function plain(text: string): string {
  return text.replace(/\[([^\]]+)\]\([^)]+\)/g, "docs/$1");
}
