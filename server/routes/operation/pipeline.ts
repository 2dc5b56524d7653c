import { Elysia } from "elysia";
import { answerJson } from "../../http/answer.ts";
import { labelled } from "../../api/columns.ts";
import { EXAMPLE_LABEL, jsonContent } from "../../api/content.ts";
import { endpoint, readQuery } from "../../api/endpoint.ts";
import { PIPELINE } from "../../api/pipeline-schema.ts";
import { integer, nullable, object, text } from "../../api/schema.ts";
import type { WebContext } from "../../http/context.ts";

/** The state of the pipeline. */
export const GET_PIPELINE = endpoint({
  method: "GET",
  path: "/api/v1/pipeline",
  id: "getPipeline",
  tag: "operation",
  summary: "State of the pipeline",
  description:
    "The stages from source to screen with their watermarks (the newest observation time that each has seen), the background jobs of this process, the partitions of the log with their committed offsets, and the live clients. Answered from memory, at most one second old.",
  query: {},
  answers: [
    {
      status: 200,
      description: "The state",
      content: jsonContent(
        labelled({
          about: object({
            version: text("Version of the program"),
            source: nullable(
              object(
                {
                  name: text("The source in use"),
                  reason: text("Why it was chosen"),
                  credit: nullable(object({ text: text("Who is to be named"), url: text("Where it leads") })),
                },
                { description: "Null where this process collects nothing" },
              ),
            ),
            log: text("What implements the log"),
            lake: text("What implements the lake"),
            engine: text("What computes"),
            stale_after_seconds: integer("Age from which a value counts as stale, s"),
          }),
          ...PIPELINE,
        }),
      ),
      example: {
        ...EXAMPLE_LABEL,
        about: {
          version: "0.1.0",
          source: { name: "open-meteo", reason: "it answers", credit: null },
          log: "sqlite",
          lake: "local folder",
          engine: "DuckDB 1.5.6",
          stale_after_seconds: 2700,
        },
        stages: [
          { name: "lake", by: "local folder", watermark: "2026-01-31T11:50:00Z", behind: 0, trouble: null },
        ],
        jobs: [
          { name: "consumer", state: "running", since: "2026-01-31T08:00:00Z", restarts: 0, reason: null },
        ],
        partitions: [
          {
            partition: 0,
            low: 0,
            high: 4712,
            next: 4712,
            sequence: 96,
            rows: 4700,
            duplicates: 11,
            rejected: 1,
            files: 31,
            bytes: 812_345,
          },
        ],
        rates: { log: { per_second: 0.5, seconds: 300 }, lake: { per_second: 0.5, seconds: 300 } },
        proof: { at: "2026-01-31T11:00:00Z", offsets: 4700, compared: 4700, problems: 0 },
        live: { clients: 1, dropped: 0 },
      },
    },
  ],
  errors: [],
  examples: [{ title: "The state", path: "/api/v1/pipeline" }],
});

/** The state of the pipeline: stages with their watermarks, background jobs, partitions, live clients. */
export function pipelineRoutes(context: WebContext) {
  return new Elysia().get(GET_PIPELINE.path, ({ request }) => {
    readQuery(GET_PIPELINE, request, context.services);
    const { about } = context.services;
    return answerJson(context, request, {
      about: {
        version: about.version,
        source: about.source,
        log: about.log,
        lake: about.lake,
        engine: about.engine,
        stale_after_seconds: about.staleAfterSeconds,
      },
      ...context.services.pipeline(),
    });
  });
}
