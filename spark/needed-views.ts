import type { SqlView } from "./engine.ts";

/**
 * The views that a text reads, and those that they read, in the order given. A name counts wherever it stands in a text, a comment
 * included: one too many does no harm.
 *
 * @param views each reads only those before it
 */
export function neededViews(sql: string, views: readonly SqlView[]): SqlView[] {
  const texts = [sql];
  const needed: SqlView[] = [];
  for (const view of views.toReversed()) {
    const name = new RegExp(`\\b${view.name}\\b`, "i");
    if (!texts.some((text) => name.test(text))) continue;
    texts.push(view.sql);
    needed.unshift(view);
  }
  return needed;
}
