import { Elysia } from "elysia";
import { createLogger } from "../../core/log.ts";
import { type Assets, buildAssets } from "../../server/pages/frame/assets.ts";
import { problemOf, problemResponse } from "../../server/http/problems.ts";
import { pagesRoutes } from "../../server/pages/pages.ts";
import { guard } from "../../server/http/security.ts";
import { SHOWN } from "./world.ts";
import { FakeClock } from "./fake-clock.ts";
import { type FakeServices, NOW } from "./fake-services.ts";

let built: Promise<Assets> | undefined;

/** The pages over some services, asked as a browser asks. */
export interface PageApp {
  get(path: string, headers?: Record<string, string>): Promise<Response>;
  /** A page's HTML. */
  text(path: string, headers?: Record<string, string>): Promise<string>;
  /** Sends a form. */
  post(path: string, fields?: Record<string, string>): Promise<Response>;
  /** What was logged. */
  lines: string[];
}

/** Makes {@link PageApp}; the files are built once. */
export async function pageApp(services: FakeServices, shown: Partial<typeof SHOWN> = {}): Promise<PageApp> {
  const assets = await (built ??= buildAssets());
  const lines: string[] = [];
  const logger = createLogger({ level: "error", format: "text", write: (line) => lines.push(line) });
  const app = new Elysia()
    .use(guard({ host: "127.0.0.1", allowedHosts: [] }))
    .onError(({ error }) => problemResponse(problemOf(error)))
    .use(
      pagesRoutes({ services, assets, clock: new FakeClock(NOW), logger, alerts: null, ...SHOWN, ...shown }),
    );
  const get = async (path: string, headers: Record<string, string> = {}) =>
    app.handle(new Request(`http://localhost${path}`, { headers }));
  return {
    get,
    text: async (path, headers) => (await get(path, headers)).text(),
    post: async (path, fields = {}) =>
      app.handle(
        new Request(`http://localhost${path}`, { method: "POST", body: new URLSearchParams(fields) }),
      ),
    lines,
  };
}

/** The text of a page's `main`, without tags, spaces made single. */
export function wordsOf(html: string): string {
  return (/<main[\s\S]*<\/main>/.exec(html)?.[0] ?? html)
    .replace(/<[^>]*>/g, " ")
    .replaceAll("&quot;", '"')
    .replaceAll("&#39;", "'")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&")
    .replace(/\s+/g, " ");
}

/** What a strict Content-Security-Policy would block. */
export function forbiddenIn(html: string): string[] {
  return [
    ...html.matchAll(/<[^>]*\sstyle\s*=/gi),
    ...html.matchAll(/<style/gi),
    ...html.matchAll(/<[^>]*\son[a-z]+\s*=/gi),
    ...html.matchAll(/<script(?![^>]*\ssrc=)[^>]*>/gi),
    ...html.matchAll(/<[^>]*\shx-(on|vals|headers)[^>]*/gi),
    ...html.matchAll(/href="javascript:[^"]*"/gi),
    // A link to elsewhere is no resource from elsewhere.
    ...html.matchAll(/src="(?:javascript:|https?:)[^"]*"|<link[^>]*href="https?:[^"]*"/gi),
  ].map(([found]) => found);
}
