import type { Exploration } from "./explorer.ts";

/** What an exploration found, for people: the rule broken and the way there, a step a line. */
export function report({ states, violation }: Exploration): string {
  if (violation === undefined) return `no violation in ${states} states`;
  return [violation.message, ...violation.trace.map((step, index) => `${index + 1}. ${step}`)].join("\n");
}
