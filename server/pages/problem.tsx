import { layout } from "../../views/pages/layout.tsx";
import { ProblemPage } from "../../views/pages/problem/problem.tsx";
import { DEFAULT_UNITS } from "../../views/units.ts";
import type { Problem } from "../http/problems.ts";
import { frameOf } from "./frame/frame.ts";
import { closed, type PagesOptions, render } from "./frame/page.tsx";

/** A problem as a page, for readers. */
export function problemPage({
  services,
  assets,
  clock,
}: Pick<PagesOptions, "services" | "assets" | "clock">): (problem: Problem) => Promise<string> {
  return async ({ status, message, hint }) => {
    const title = status === 404 ? "Not found" : "Problem";
    const frame = frameOf(services, assets, clock.now(), {
      path: null,
      title,
      whole: null,
      units: DEFAULT_UNITS,
    });
    const todo = hint ?? "Go back, or begin anew.";
    return closed(layout(frame, await render(<ProblemPage status={status} message={message} hint={todo} />)));
  };
}
