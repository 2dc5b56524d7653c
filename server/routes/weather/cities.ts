import { Elysia } from "elysia";
import { answerRows } from "../../http/answer.ts";
import { rowSchema, rowsSchema } from "../../api/columns.ts";
import { EXAMPLE_LABEL, rowsContent } from "../../api/content.ts";
import { endpoint, readQuery } from "../../api/endpoint.ts";
import { FORMAT_PARAMETER } from "../../api/parameter.ts";
import type { WebContext } from "../../http/context.ts";
import type { Column } from "../../formats/formats.ts";

const COLUMNS: readonly Column[] = [
  ["name", "string"],
  ["slug", "string"],
  ["latitude", "double"],
  ["longitude", "double"],
  ["zone", "string"],
];
const UNITS = { latitude: "° north", longitude: "° east" };

/** The places shown. */
export const GET_CITIES = endpoint({
  method: "GET",
  path: "/api/v1/cities",
  id: "getCities",
  tag: "weather",
  summary: "The places shown",
  description:
    "The configured cities in their order, then the other cities that have reported, by name. Of a city that is not configured only the name is known.",
  query: { format: FORMAT_PARAMETER },
  answers: [
    {
      status: 200,
      description: "The places",
      content: rowsContent(rowsSchema(rowSchema(COLUMNS))),
      example: {
        ...EXAMPLE_LABEL,
        units: UNITS,
        rows: [
          { name: "London", slug: "london", latitude: 51.5074, longitude: -0.1278, zone: "Europe/London" },
          { name: "Oslo", slug: "oslo", latitude: null, longitude: null, zone: null },
        ],
      },
    },
  ],
  errors: ["not_acceptable"],
  examples: [{ title: "Every city", path: "/api/v1/cities" }],
});

/** The places shown. Of a city that is not configured only the name is known. */
export function cityRoutes(context: WebContext) {
  return new Elysia().get(GET_CITIES.path, ({ request }) => {
    const { format } = readQuery(GET_CITIES, request, context.services);
    const rows = context.services
      .cities()
      .map(({ name, slug, latitude, longitude, zone }) => ({ name, slug, latitude, longitude, zone }));
    return answerRows(context, request, format, { columns: COLUMNS, rows, extra: { units: UNITS } });
  });
}
