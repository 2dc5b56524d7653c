import { Elysia } from "elysia";
import { endpoint, readQuery } from "../../api/endpoint.ts";
import { LIVE_EVENTS } from "../../api/live-schemas.ts";
import { citiesParameter, someOfParameter } from "../../api/parameter.ts";
import type { WebContext } from "../../http/context.ts";
import { LIVE_CITIES_MAX } from "../../live/live-address.ts";
import { liveFilter } from "../../live/live-filter.ts";

const HEADERS = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-store",
  // Tells nginx and similar proxies not to buffer the stream, which would delay events.
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
    "The stream never ends by itself. `Last-Event-ID`, which `EventSource` sends by itself when it reconnects, resumes: the events since that id follow, or a `snapshot` where they are no longer kept (2,000 events or 4 MiB). A comment every 10 s keeps a quiet connection open; with a filter it carries the newest id, so that a client that gets little resumes all the same. A client that leaves more than 128 events unread is dropped; it reconnects and resumes.",
  query: {
    city: citiesParameter(
      "Observations and judgements of these cities only, in the snapshot too.",
      LIVE_CITIES_MAX,
    ),
    types: someOfParameter(
      "Events of these types only; a `snapshot` is always sent, because it also tells of a gap.",
      Object.keys(LIVE_EVENTS),
      "observations,result",
    ),
  },
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
  errors: ["not_found"],
  examples: [
    { title: "Follow everything", path: "/live" },
    { title: "New observations of one city", path: "/live?city=london&types=observations" },
    { title: "New observations of two cities", path: "/live?city=london,tokyo&types=observations" },
    {
      title: "Go on after an event that was seen",
      path: "/live",
      headers: { "last-event-id": "3f2a9c-4711" },
    },
  ],
});

/** The live feed as server-sent events: `snapshot`, `observations`, `judgements`, `status` and `result`. */
export function liveRoutes({ hub, services }: WebContext) {
  return new Elysia().get(GET_LIVE.path, ({ request }) => {
    const { city, types } = readQuery(GET_LIVE, request, services);
    if (request.method === "HEAD") return new Response(null, { headers: HEADERS });
    const filter = liveFilter({ cities: city?.map(({ name }) => name) ?? null, types });
    const stream = hub.connect(request.headers.get("last-event-id"), request.signal, filter);
    return new Response(stream, { headers: HEADERS });
  });
}
