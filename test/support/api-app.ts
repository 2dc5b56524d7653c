import type { AnyElysia } from "elysia";
import { type Logger, createLogger } from "../../core/log.ts";
import { type AppOptions, createApp } from "../../server/app.ts";
import { Hub } from "../../server/live/hub.ts";
import { FakeClock } from "./fake-clock.ts";
import { FakeServices } from "./fake-services.ts";

/** The application in this process, over fake services. */
export interface TestApi {
  app: AnyElysia;
  services: FakeServices;
  hub: Hub;
  clock: FakeClock;
  /** What was logged, a line each. */
  lines: string[];
  /** Sends a request to `path`. */
  call(path: string, init?: RequestInit): Promise<Response>;
  /** Sends a request and reads its JSON object. */
  json(path: string, init?: RequestInit): Promise<{ status: number; body: Record<string, unknown> }>;
}

/** Makes an application; `changes` replace what it is made of. */
export function testApi(changes: Partial<AppOptions> = {}): TestApi {
  const clock = new FakeClock();
  const services = new FakeServices();
  const lines: string[] = [];
  const logger: Logger = createLogger({ level: "debug", format: "json", write: (line) => lines.push(line) });
  const hub = new Hub({ epoch: "e1", clock, snapshot: () => ({ current: [] }) });
  const app = createApp({
    services,
    hub,
    clock,
    logger,
    security: { host: "127.0.0.1", allowedHosts: [] },
    ...changes,
  });
  const call = (path: string, init?: RequestInit) => app.handle(new Request(`http://localhost${path}`, init));
  return {
    app,
    services,
    hub,
    clock,
    lines,
    call,
    async json(path, init) {
      const response = await call(path, init);
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    },
  };
}
