import { tick } from "./ages.ts";
import { connect, disconnect } from "./live.ts";
import "./iso-live.ts";
import "./stream-slot.ts";

/** Islands whose script is loaded only on pages that contain one. */
const ISLANDS: Record<string, () => Promise<unknown>> = {
  "iso-chart": () => import("./iso-chart.ts"),
  "iso-cities": () => import("./iso-cities.ts"),
  "iso-zoom": () => import("./iso-zoom.ts"),
};
const awake = new Set<string>();

/** Loads the scripts of the islands on the page. Streamed parts that arrive later may contain more islands. */
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
// A page restored from the back/forward cache must not come back with a dead connection.
addEventListener("pagehide", disconnect);
addEventListener("pageshow", (event) => {
  if (event.persisted) connect();
});
