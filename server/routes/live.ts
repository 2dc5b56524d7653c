import { Elysia } from "elysia";
import { endpoint, readQuery } from "../api/endpoint.ts";
import type { WebContext } from "../context.ts";

const HEADERS = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-store",
  // A proxy that collects the stream before it passes it on holds events back.
  "x-accel-buffering": "no",
};

/** The live feed. */
export const GET_LIVE = endpoint({
  method: "GET",
  path: "/live",
  id: "getLive",
  tag: "live",
  summary: "Everything new, as server-sent events",
  description:
    "The stream never ends by itself. `Last-Event-ID`, which `EventSource` sends by itself when it reconnects, resumes: the events since that id follow, or a `snapshot` where they are no longer kept (2,000 events or 4 MiB). A comment every 10 s keeps a quiet connection open. A client that leaves more than 1 MiB unread is dropped; it reconnects and resumes.",
  query: {},
  headers: { "last-event-id": ["Id of the last event that was seen", "3f2a9c-4711"] },
  answers: [
    {
      status: 200,
      description: "The stream",
      content: {
        "text/event-stream": {
          type: "string",
          description: "Events, each with one line of JSON as its data",
        },
      },
    },
  ],
  errors: [],
  examples: [{ title: "Follow it", path: "/live" }],
});

/** The live feed as server-sent events: `snapshot`, `observations`, `judgements`, `status` and `result`. */
export function liveRoutes({ hub, services }: WebContext) {
  return new Elysia().get(GET_LIVE.path, ({ request }) => {
    readQuery(GET_LIVE, request, services);
    if (request.method === "HEAD") return new Response(null, { headers: HEADERS });
    const stream = hub.connect(request.headers.get("last-event-id"), request.signal);
    return new Response(stream, { headers: HEADERS });
  });
}
