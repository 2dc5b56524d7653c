import { tick } from "./ages.ts";
import { connect, disconnect } from "./live.ts";
import "./iso-live.ts";
import "./stream-slot.ts";

/** Islands whose script is fetched only by pages that have one. */
const ISLANDS: Record<string, () => Promise<unknown>> = {
  "iso-chart": () => import("./iso-chart.ts"),
  "iso-cities": () => import("./iso-cities.ts"),
  "iso-zoom": () => import("./iso-zoom.ts"),
};
const awake = new Set<string>();

/** Fetches the islands that are on the page. Parts that come late may bring more. */
function wake(): void {
  for (const [name, fetchIsland] of Object.entries(ISLANDS)) {
    if (awake.has(name) || document.querySelector(name) === null) continue;
    awake.add(name);
    fetchIsland().catch((error: unknown) => {
      awake.delete(name);
      console.warn(`Cannot fetch ${name}; the page goes on without it:`, error);
    });
  }
}

document.addEventListener("stream-fill", wake);
document.addEventListener("DOMContentLoaded", wake);
wake();

connect();
setInterval(tick, 1000);
// A page that is left must not come back with a connection that died meanwhile.
addEventListener("pagehide", disconnect);
addEventListener("pageshow", (event) => {
  if (event.persisted) connect();
});
