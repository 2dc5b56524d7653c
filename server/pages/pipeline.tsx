import { Elysia } from "elysia";
import { codeOf, messageOf } from "../../core/errors.ts";
import type { RejectedRecord } from "../../core/rejected-record.ts";
import { Pipeline, PipelinePage, type PipelineProps } from "../../views/pages/pipeline/pipeline.tsx";
import { pageClock } from "../answers/page-clock.ts";
import { fragmentResponse, pageResponse, type PagesOptions } from "./frame/page.tsx";
import { Parameters } from "../http/parameters.ts";

/** Rejected records on the page. */
const REJECTED = 10;

/** Where everything stands. */
export function pipelinePages(options: PagesOptions) {
  const { services, clock, servers } = options;
  const props = async (): Promise<PipelineProps> => {
    const now = clock.now();
    return {
      ...services.pipeline(),
      asOf: pageClock(services, now),
      now,
      isRecording: services.about.kind === "replayed",
      staleAfterSeconds: services.about.staleAfterSeconds,
      rejected: await rejectedOf(options),
      servers,
    };
  };
  return new Elysia()
    .get("/pipeline", async ({ request }) => {
      new Parameters(request, []);
      const page = { path: "/pipeline", title: "Pipeline", live: { status: true } };
      return pageResponse(options, request, page, <PipelinePage {...await props()} />);
    })
    .get("/fragments/pipeline", async ({ request }) => {
      new Parameters(request, []);
      return fragmentResponse(request, <Pipeline {...await props()} />);
    });
}

/** The newest rejected records, or null where they cannot be read: the stages say why. */
async function rejectedOf({ services, logger }: PagesOptions): Promise<RejectedRecord[] | null> {
  try {
    return await services.rejected(REJECTED);
  } catch (error) {
    logger.error(`Cannot show rejected records: ${messageOf(error)}`, { code: codeOf(error) });
    return null;
  }
}
