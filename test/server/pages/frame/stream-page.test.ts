import { describe, expect, test } from "bun:test";
import { streamInOrder, streamPage } from "../../../../server/pages/frame/stream-page.ts";

const REQUEST = new Request("http://localhost/");
const SHELL = { start: "<!doctype html><main>shell</main>", end: "</body></html>" };

function readerOf(response: Pick<Response, "body">): {
  next(): Promise<string | null>;
  cancel(): Promise<void>;
} {
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  return {
    async next() {
      const { done, value } = await reader.read();
      return done ? null : new TextDecoder().decode(value);
    },
    cancel: () => reader.cancel(),
  };
}

describe("streamPage()", () => {
  test("sends the shell before any part is there, then the parts in the order in which they finish", async () => {
    const first = Promise.withResolvers<string>();
    const second = Promise.withResolvers<string>();
    const page = readerOf(
      streamPage(REQUEST, SHELL, [
        { id: "first", content: first.promise },
        { id: "second", content: second.promise },
      ]),
    );
    expect(await page.next()).toBe(SHELL.start);
    second.resolve("<p>2</p>");
    expect(await page.next()).toBe(`<template><p>2</p></template><stream-fill for="second"></stream-fill>`);
    first.resolve("<p>1</p>");
    expect(await page.next()).toBe(`<template><p>1</p></template><stream-fill for="first"></stream-fill>`);
    expect(await page.next()).toBe(SHELL.end);
    expect(await page.next()).toBeNull();
  });

  test("stops when the reader has gone, and takes what still comes without an error", async () => {
    const late = Promise.withResolvers<string>();
    const page = readerOf(streamPage(REQUEST, SHELL, [{ id: "late", content: late.promise }]));
    await page.next();
    await page.cancel();
    late.resolve("<p></p>");
    await late.promise;
    expect(await page.next()).toBeNull();
  });

  test("breaks off rather than ending a page that lacks a part", async () => {
    const page = readerOf(
      streamPage(REQUEST, SHELL, [{ id: "bad", content: Promise.reject(new Error("a bug")) }]),
    );
    await page.next();
    await expect(page.next()).rejects.toThrow("a bug");
  });

  test("is an HTML page that is asked for anew each time", () => {
    const { headers } = streamPage(REQUEST, SHELL, []);
    expect(headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(headers.get("cache-control")).toBe("no-cache");
  });
});

describe("streamInOrder()", () => {
  test("sends the first piece before the rest is there, and ends with it", async () => {
    const rest = Promise.withResolvers<string>();
    const page = readerOf(streamInOrder(REQUEST, "first", () => rest.promise));
    expect(await page.next()).toBe("first");
    rest.resolve("rest");
    expect(await page.next()).toBe("rest");
    expect(await page.next()).toBeNull();
  });

  test("stops when the reader has gone, and takes what still comes without an error", async () => {
    const rest = Promise.withResolvers<string>();
    const page = readerOf(streamInOrder(REQUEST, "first", () => rest.promise));
    await page.next();
    const next = page.next();
    await page.cancel();
    expect(await next).toBeNull();
    rest.resolve("rest");
    await rest.promise;
    expect(await page.next()).toBeNull();
  });

  test("begins the rest when the first piece was taken, and never for a reader who wants no more", async () => {
    let begun = 0;
    const rest = () => Promise.resolve(`rest ${++begun}`);
    for (const coding of ["identity", "gzip", "br"]) {
      const request = new Request("http://localhost/", { headers: { "accept-encoding": coding } });
      const gone = readerOf(streamInOrder(request, "first", rest));
      expect(await gone.next()).not.toBeNull();
      await gone.cancel();
      // As the answer to HEAD, whose body nobody reads.
      await streamInOrder(request, "first", rest).body?.cancel();
    }
    expect(begun).toBe(0);
    const page = readerOf(streamInOrder(REQUEST, "first", rest));
    await page.next();
    expect(await page.next()).toBe("rest 1");
  });

  test("breaks off rather than ending a page that lacks its rest", async () => {
    const page = readerOf(streamInOrder(REQUEST, "first", () => Promise.reject(new Error("a bug"))));
    await page.next();
    await expect(page.next()).rejects.toThrow("a bug");
  });
});
