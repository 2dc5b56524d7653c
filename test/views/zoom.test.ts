import { describe, expect, test } from "bun:test";
import { HOUR_MS } from "../../core/time.ts";
import {
  bounded,
  LONGEST_MS,
  sameWindow,
  SHORTEST_MS,
  stepped,
  windowParameters,
  zoomed,
} from "../../views/zoom.ts";

const FROM = Date.UTC(2026, 0, 1);
const DAY = { from: FROM, to: FROM + 24 * HOUR_MS };

describe("zoomed()", () => {
  test("keeps the time in place at which it zooms", () => {
    expect(zoomed(DAY, 0.5, 0.25)).toEqual({ from: FROM + 3 * HOUR_MS, to: FROM + 15 * HOUR_MS });
  });

  test("stops at the shortest and the longest stretch, and comes back", () => {
    const width = ({ from, to }: typeof DAY) => to - from;
    expect(width(zoomed(DAY, 1e-9))).toBe(SHORTEST_MS);
    expect(width(zoomed(DAY, 1e9, 1))).toBe(LONGEST_MS);
    expect(zoomed(DAY, 1e9, 1).to).toBe(DAY.to);
  });
});

test("bounded() moves a window that reaches beyond the end back as a whole", () => {
  expect(bounded({ from: FROM, to: FROM + HOUR_MS }, FROM + HOUR_MS / 2)).toEqual({
    from: FROM - HOUR_MS / 2,
    to: FROM + HOUR_MS / 2,
  });
});

test("stepped() undoes itself, and leads nowhere at the end of time and at the shortest stretch", () => {
  const latest = FROM + 100 * HOUR_MS;
  expect(stepped("later", stepped("earlier", DAY, latest), latest)).toEqual(DAY);
  expect(stepped("out", stepped("in", DAY, latest), latest)).toEqual(DAY);
  expect(sameWindow(stepped("later", DAY, DAY.to), DAY)).toBe(true);
  const shortest = { from: FROM, to: FROM + SHORTEST_MS };
  expect(sameWindow(stepped("in", shortest, latest), shortest)).toBe(true);
});

test("windowParameters() writes full seconds", () => {
  expect(windowParameters({ from: FROM + 0.4, to: FROM + 1700 })).toEqual({
    from: "2026-01-01T00:00:00Z",
    to: "2026-01-01T00:00:02Z",
  });
});
