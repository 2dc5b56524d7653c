import type { Clock } from "../../../core/clock.ts";
import type { Logger } from "../../../core/log.ts";
import { frameAround, layout, type Shell } from "../../../views/pages/layout.tsx";
import { Failed } from "../../../views/parts/notes.tsx";
import { readUnits, type Units } from "../../../views/units.ts";
import type { Assets } from "./assets.ts";
import type { LiveWanted } from "../../live/live-address.ts";
import { frameOf } from "./frame.ts";
import { latePart } from "./late-part.ts";
import type { Services } from "../../answers/services.ts";
import { answerPage } from "../../http/answer.ts";
import { streamInOrder } from "./stream-page.ts";
import type { ShownConfig } from "../../config/shown-config.ts";

/** What the pages are made of. */
export interface PagesOptions extends ShownConfig {
  services: Services;
  assets: Assets;
  clock: Clock;
  logger: Logger;
}

/** The cookie that holds a reader's units. */
export const UNITS_COOKIE = "units";

/** How long a reader's choices are kept: a year, s. */
export const KEPT_SECONDS = 31_536_000;

/** The units a reader has chosen. */
export function unitsOfReader(request: Request): Units {
  return readUnits(cookieOf(request, UNITS_COOKIE));
}

/** The value of a cookie, or null. */
export function cookieOf(request: Request, wanted: string): string | null {
  for (const part of (request.headers.get("cookie") ?? "").split(";")) {
    const [name, value = ""] = part.trim().split("=", 2);
    if (name === wanted) return value;
  }
  return null;
}

/** A path of this site, and nothing that leads elsewhere: `//host`, `/\host` and whole addresses become the first page. */
export function ownPath(path: string | null): string {
  return path !== null && /^\/(?![/\\])[\w\-./?=&%+]*$/.test(path) ? path : "/";
}

/** The HTML of an element: at once, or when its late children are there. */
export function render(element: JSX.Element): Promise<string> {
  return Promise.resolve(element);
}

/** A whole page without late parts. */
export async function pageResponse(
  { services, assets, clock }: Pick<PagesOptions, "services" | "assets" | "clock">,
  request: Request,
  page: { path: string | null; title: string; live?: LiveWanted },
  element: JSX.Element,
  status = 200,
): Promise<Response> {
  const units = unitsOfReader(request);
  const frame = frameOf(services, assets, clock.now(), { ...page, whole: null, units });
  return answerPage(request, closed(layout(frame, await render(element))), { status });
}

/**
 * A page whose top is sent at once, and the rest when it is there. A rest that fails says so in its place, and the log says why.
 *
 * @param rest reads what the lake or the engine must be asked for
 */
export async function pageInOrder(
  { services, assets, clock, logger }: PagesOptions,
  request: Request,
  page: { path: string | null; title: string; live?: LiveWanted },
  top: JSX.Element,
  rest: () => Promise<JSX.Element>,
): Promise<Response> {
  const units = unitsOfReader(request);
  const { start, foot, end } = frameAround(
    frameOf(services, assets, clock.now(), { ...page, whole: null, units }),
  );
  return streamInOrder(request, start + (await render(top)), async () => {
    const html = await latePart(
      logger,
      `the rest of "${page.title}"`,
      rest,
      <Failed what="Cannot show the rest of this page." todo="Load it again to try once more." />,
    );
    return html + foot + end;
  });
}

/** A part of a page that is fetched anew. */
export async function fragmentResponse(request: Request, element: JSX.Element): Promise<Response> {
  return answerPage(request, await render(element));
}

/** A page as one text. */
export function closed({ start, end }: Shell): string {
  return start + end;
}
