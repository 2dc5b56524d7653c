import { Elysia } from "elysia";
import type { WebContext } from "../context.ts";
import { Parameters } from "../parameters.ts";

const HEADERS = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-store",
  // A proxy that collects the stream before it passes it on holds events back.
  "x-accel-buffering": "no",
};

/** The live feed as server-sent events: `snapshot`, `observations`, `status` and `result`. */
export function liveRoutes({ hub }: WebContext) {
  return new Elysia().get("/live", ({ request }) => {
    new Parameters(request, []);
    if (request.method === "HEAD") return new Response(null, { headers: HEADERS });
    const stream = hub.connect(request.headers.get("last-event-id"), request.signal);
    return new Response(stream, { headers: HEADERS });
  });
}
