import { describe, expect, test } from "bun:test";
import { isLoopback } from "../../../server/config/loopback.ts";

describe("isLoopback()", () => {
  test.each(["127.0.0.1", "127.8.9.10", "::1", "localhost", "LOCALHOST", "isobar.localhost"])(
    "takes %s",
    (host) => {
      expect(isLoopback(host)).toBe(true);
    },
  );
  test.each([
    "0.0.0.0",
    "::",
    "10.0.0.1",
    "127.0.0.1.example.org",
    "localhost.example.org",
    "127.1",
    "127.0.0.256",
    "",
  ])("refuses %s", (host) => {
    expect(isLoopback(host)).toBe(false);
  });
});
