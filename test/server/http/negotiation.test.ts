import { describe, expect, test } from "bun:test";
import { type Coding, chooseCoding, chooseMediaType } from "../../../server/http/negotiation.ts";

const asking = (headers: Record<string, string>) => new Request("http://localhost/", { headers });

describe("chooseCoding()", () => {
  const chosen = (header: string | null, options?: Parameters<typeof chooseCoding>[1]) =>
    chooseCoding(asking(header === null ? {} : { "accept-encoding": header }), options);

  test.each<[header: string | null, coding: Coding | null]>([
    // What browsers, curl and old clients send.
    ["gzip, deflate, br, zstd", "br"],
    ["gzip, deflate", "gzip"],
    ["br, gzip", "br"],
    ["x-gzip", "gzip"],
    ["deflate", null],
    ["", null],
    [null, null],
    // Qualities come before our own preference.
    ["gzip;q=1, br;q=0.5", "gzip"],
    ["gzip;q=0.5, br;q=0.5", "br"],
    ["gzip ; q=0.4 ,\tbr ; q=0.5", "br"],
    ["GZIP;Q=1", "gzip"],
    ["gzip;q=0.001", "gzip"],
    // 0 refuses.
    ["gzip;q=0", null],
    ["gzip;q=0.000, br;q=0", null],
    ["br;q=0, gzip", "gzip"],
    // * is whatever is not named.
    ["*", "br"],
    ["*;q=0", null],
    ["br;q=0, *", "gzip"],
    ["gzip;q=0, *;q=0.1", "br"],
    ["gzip, *;q=0", "gzip"],
    ["br;q=0.2, *;q=0.7", "gzip"],
    // As it is: taken unless refused, and chosen where the client would rather have it.
    ["identity", null],
    ["identity, gzip;q=0.5", null],
    ["identity;q=0.5, gzip;q=0.5", "gzip"],
    ["identity;q=0, gzip;q=0.1", "gzip"],
    // Nothing suits: the body as it is can be read by everybody.
    ["identity;q=0", null],
    ["identity;q=0, *;q=0", null],
    // What is no header of this kind refuses, and never fails.
    ["gzip;q=abc", null],
    ["gzip;q=", null],
    ["gzip;q=-1", null],
    ["gzip;q=9, br", "br"],
    ["gzip;q=0, gzip", null],
    [",,, ;;q==;, gzip", "gzip"],
    ["constructor, __proto__", null],
  ])("of %p is %p", (header, coding) => {
    expect(chosen(header)).toBe(coding);
  });

  test("gives what hardly shrinks as it is, unless that is refused", () => {
    expect(chosen("gzip, br", { pays: false })).toBeNull();
    expect(chosen("gzip, *;q=0.5", { pays: false })).toBeNull();
    expect(chosen("gzip, identity;q=0", { pays: false })).toBe("gzip");
    expect(chosen("br, *;q=0", { pays: false })).toBe("br");
  });

  test("chooses among what is offered only", () => {
    expect(chosen("br, gzip;q=0.1", { offered: ["gzip"] })).toBe("gzip");
    expect(chosen("br", { offered: ["gzip"] })).toBeNull();
    expect(chosen("*", { offered: ["gzip"] })).toBe("gzip");
  });

  test("takes a header of any length", () => {
    expect(chosen("a;q=0.1,".repeat(100_000) + "gzip")).toBe("gzip");
    expect(chosen("gzip" + ";".repeat(1_000_000))).toBe("gzip");
    expect(chosen(" ,".repeat(500_000))).toBeNull();
  });
});

describe("chooseMediaType()", () => {
  const OFFERED = ["application/json", "text/csv", "text/html"];
  const chosen = (accept: string | null) =>
    chooseMediaType(asking(accept === null ? {} : { accept }), OFFERED);

  test.each([
    [null, "application/json"],
    [" ", "application/json"],
    ["*/*", "application/json"],
    ["text/*", "text/csv"],
    ["text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8", "text/html"],
    ["application/json;q=0.5, text/csv", "text/csv"],
    ["application/json;q=0, */*", "text/csv"],
    ["text/*;q=0.5, text/html;q=0.4, text/csv;q=0", "text/html"],
    ["text/csv;charset=utf-8;header=present", "text/csv"],
    ["TEXT/HTML", "text/html"],
    ["text/html;q=0", null],
    ["image/png", null],
    ["text/htmlx, html, */json", null],
  ])("of %p is %p", (accept, type) => {
    expect(chosen(accept)).toBe(type);
  });
});
