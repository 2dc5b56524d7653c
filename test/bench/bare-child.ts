// The bare server that the program is compared with: static bytes, and server-sent events that echo what is posted.
import { serveParent } from "./child.ts";

const readers = new Set<ReadableStreamDefaultController<Uint8Array>>();
const encoder = new TextEncoder();
const bodies = new Map<number, Uint8Array<ArrayBuffer>>();

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  idleTimeout: 30,
  routes: {
    "/bytes/:size": ({ params }) => {
      const size = Number(params.size);
      const body = bodies.get(size) ?? new Uint8Array(size).fill(120);
      bodies.set(size, body);
      return new Response(body, { headers: { "content-type": "application/json" } });
    },
    "/live": () => {
      let own: ReadableStreamDefaultController<Uint8Array>;
      const stream = new ReadableStream<Uint8Array>({
        start(controller) {
          own = controller;
          readers.add(controller);
          controller.enqueue(encoder.encode("retry: 1000\n\n"));
        },
        cancel: () => void readers.delete(own),
      });
      return new Response(stream, { headers: { "content-type": "text/event-stream" } });
    },
    "/api/v1/observations": async (request) => {
      const observations = (await request.text()).split("\n").map((line) => JSON.parse(line) as unknown);
      const event = encoder.encode(`event: observations\ndata: ${JSON.stringify({ observations })}\n\n`);
      for (const controller of readers) controller.enqueue(event);
      return Response.json({ appended: observations.length });
    },
  },
});
serveParent(server.url.href, () => server.stop(true));
