import { Elysia } from "elysia";
import { RequestError } from "../../../core/errors.ts";
import { describe } from "../../../core/observation.ts";
import { answerJson, headersOf } from "../../http/answer.ts";
import { labelled } from "../../api/columns.ts";
import { EXAMPLE_LABEL, jsonContent } from "../../api/content.ts";
import { endpoint, readQuery } from "../../api/endpoint.ts";
import { boolean, integer, list, nullable, object, text } from "../../api/schema.ts";
import type { WebContext } from "../../http/context.ts";
import { isKnown } from "../../http/etag.ts";

/** Media type of Parquet as registered with IANA. */
const PARQUET = "application/vnd.apache.parquet";
const FILE = /^(\d{4}-\d\d-\d\d)\.parquet$/;

/** The days. */
export const GET_DAYS = endpoint({
  method: "GET",
  path: "/api/v1/observations/days",
  id: "getDays",
  tag: "weather",
  summary: "The days of observation that the lake holds",
  description: "The oldest first. Days are UTC days.",
  query: {},
  answers: [
    {
      status: 200,
      description: "The days",
      content: jsonContent(
        labelled({
          days: list(
            object({
              date: text("The day"),
              rows: integer("Rows stored, revisions included"),
              revisions: integer("Rows that revise one stored before"),
              compacted: boolean("Whether the lake has it as one Parquet file, which is sent as it is"),
              bytes: nullable(integer("Length of that file; null where it is written when it is asked for")),
              path: text("Path of its rows as Parquet"),
            }),
          ),
        }),
      ),
      example: {
        ...EXAMPLE_LABEL,
        days: [
          {
            date: "2026-01-30",
            rows: 720,
            revisions: 0,
            compacted: true,
            bytes: 18_204,
            path: "/api/v1/observations/days/2026-01-30.parquet",
          },
        ],
      },
    },
  ],
  errors: [],
  examples: [{ title: "Every day", path: "/api/v1/observations/days" }],
});

/** A day in bulk. */
export const GET_DAY = endpoint({
  method: "GET",
  path: "/api/v1/observations/days/:file",
  id: "getDay",
  tag: "weather",
  summary: "Every observation of a day, as Parquet",
  description:
    "Sorted by timestamp, city, source and offset, with the columns of observations and no flags. Revisions are rows of their own: of one timestamp, city and source the row with the highest `log_offset` counts. A day that the compactor has made one file is sent from the lake as it is; any other is written by the engine when it is asked for, one at a time. Its `ETag` changes with the files that hold the day.",
  segments: { file: ["The day, and `.parquet`", "2026-01-31.parquet"] },
  query: {},
  answers: [
    {
      status: 200,
      description: "The file",
      content: { [PARQUET]: { description: "A Parquet file" } },
      headers: { etag: "Changes with the files that hold the day" },
    },
  ],
  errors: ["not_found"],
  examples: [{ title: "A day in bulk", path: "/api/v1/observations/days/{day}.parquet" }],
});

/** The lake's days in bulk. */
export function dayRoutes(context: WebContext) {
  const { services } = context;
  return new Elysia()
    .get(GET_DAYS.path, async ({ request }) => {
      readQuery(GET_DAYS, request, services);
      const days = (await services.days.list()).map(({ date, rows, revisions, compacted, bytes }) => {
        const path = GET_DAY.path.replace(":file", `${date}.parquet`);
        return { date, rows, revisions, compacted, bytes, path };
      });
      return answerJson(context, request, { days });
    })
    .get(GET_DAY.path, async ({ request, params }) => {
      readQuery(GET_DAY, request, services);
      const [, date] = FILE.exec(params.file) ?? [];
      const day = date === undefined ? null : await services.days.find(date);
      if (day === null) {
        throw new RequestError(
          "not_found",
          `There is no day ${describe(params.file)}, wanted one such as 2026-01-31.parquet`,
          { hint: `${GET_DAYS.path} lists them.` },
        );
      }
      const headers = {
        ...headersOf(context, "json"),
        "content-type": PARQUET,
        "content-disposition": `attachment; filename="${day.date}.parquet"`,
        "cache-control": "no-cache",
        etag: `W/"${day.tag}"`,
      };
      if (isKnown(request.headers.get("if-none-match"), headers.etag)) {
        return new Response(null, { status: 304, headers });
      }
      if (request.method === "HEAD") return new Response(null, { headers });
      const file = await services.days.read(day.date, request.signal);
      // A file with a location is sent by the operating system and never loaded into memory.
      return new Response("location" in file ? Bun.file(file.location) : Buffer.from(file.bytes), {
        headers,
      });
    });
}
