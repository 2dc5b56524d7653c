import type { Shell } from "../../../views/pages/layout.tsx";

/** A part of a page that comes late. */
export interface LateSlot {
  /** Name of its `<stream-slot>`: lower-case letters, digits and hyphens. */
  id: string;
  /** Its HTML, complete and escaped. It must not reject: a part that fails is a part that says so. */
  content: Promise<string>;
}

const encoder = new TextEncoder();

/**
 * Sends a page in order, the first piece at once: a reader without a script sees what is there as well.
 *
 * @param first the page up to what must be waited for
 * @param rest the rest of it, under way already. Where it rejects, the page breaks off, and nobody takes it for a whole one
 */
export function streamInOrder(first: string, rest: Promise<string>): ReadableStream<Uint8Array> {
  let gone = false;
  return new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(encoder.encode(first));
      rest.then(
        (html) => {
          if (gone) return;
          controller.enqueue(encoder.encode(html));
          controller.close();
        },
        (error: unknown) => {
          if (!gone) controller.error(error);
        },
      );
    },
    cancel() {
      gone = true;
    },
  });
}

/**
 * Sends a page's shell at once and then its late parts, in the order in which they finish. Each comes as a template that
 * a small custom element moves into its place, because a strict Content-Security-Policy allows no inline script.
 *
 * @param shell the page before and after the late parts
 * @param slots the late parts, under way already
 */
export function streamPage(shell: Shell, slots: readonly LateSlot[]): Response {
  let gone = false;
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      const send = (html: string) => {
        if (!gone) controller.enqueue(encoder.encode(html));
      };
      send(shell.start);
      const sent = slots.map(async ({ id, content }) => {
        const html = await content;
        send(`<template>${html}</template><stream-fill for="${id}"></stream-fill>`);
      });
      Promise.all(sent).then(
        () => {
          if (gone) return;
          send(shell.end);
          controller.close();
        },
        // A reader must not take half a page for a whole one.
        (error: unknown) => {
          if (!gone) controller.error(error);
        },
      );
    },
    cancel() {
      gone = true;
    },
  });
  return new Response(stream, {
    headers: { "content-type": "text/html; charset=utf-8", "cache-control": "no-cache" },
  });
}
