import type { Shell } from "../../../views/pages/layout.tsx";
import { answerPieces } from "../../http/answer.ts";

/** A part of a page that comes late. */
export interface LateSlot {
  /** Name of its `<stream-slot>`: lower-case letters, digits and hyphens. */
  id: string;
  /** Its HTML, complete and escaped. It must not reject: a part that fails is a part that says so. */
  content: Promise<string>;
}

/**
 * Sends a page in order, the first piece at once: a reader without a script sees what is there as well.
 *
 * @param first the page up to what must be waited for
 * @param rest makes the rest of it, begun once the first piece is on its way, and not at all where the client has gone by then.
 *   Where it rejects, the page breaks off, and nobody takes it for a whole one
 */
export function streamInOrder(request: Request, first: string, rest: () => Promise<string>): Response {
  return answerPieces(request, inOrder(first, rest));
}

/**
 * Sends a page's shell at once and then its late parts, in the order in which they finish. Each comes as a template that
 * a small custom element moves into its place, because a strict Content-Security-Policy allows no inline script. Where a part
 * rejects after all, the page breaks off.
 *
 * @param shell the page before and after the late parts
 * @param slots the late parts, under way already
 */
export function streamPage(request: Request, shell: Shell, slots: readonly LateSlot[]): Response {
  for (const { content } of slots) handled(content);
  return answerPieces(request, asTheyFinish(shell, slots), { "cache-control": "no-cache" });
}

async function* inOrder(first: string, rest: () => Promise<string>): AsyncGenerator<string, void> {
  yield first;
  yield await rest();
}

async function* asTheyFinish(shell: Shell, slots: readonly LateSlot[]): AsyncGenerator<string, void> {
  yield shell.start;
  const left = new Map(slots.map((slot) => [slot, slot.content.then((html) => ({ slot, html }))] as const));
  while (left.size > 0) {
    const { slot, html } = await Promise.race(left.values());
    left.delete(slot);
    yield `<template>${html}</template><stream-fill for="${slot.id}"></stream-fill>`;
  }
  yield shell.end;
}

/** What rejects while the client is not reading, or has gone, must not end the process. Who still reads is told. */
function handled(late: Promise<string>): void {
  late.catch(() => {});
}
