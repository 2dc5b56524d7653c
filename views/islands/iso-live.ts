import { formatAge, formatClock } from "../format.ts";
import { connect, lastHeard, onLive } from "./live.ts";

/** What the page is while it is connected: a recording is not live. */
const CONNECTED = document.documentElement.dataset.kind === "replayed" ? "recording" : "live";

/** Shows in the header whether the page is connected, and in a banner since when it is not. */
class IsoLive extends HTMLElement {
  #stop: () => void = () => {};
  #ticking: ReturnType<typeof setInterval> | undefined;

  connectedCallback(): void {
    this.#ticking = setInterval(() => this.#tick(), 1000);
    this.#stop = onLive("connection", ({ live, since }) => {
      const status = this.querySelector(".st");
      status?.classList.toggle("st-live", live);
      status?.classList.toggle("st-offline", !live);
      this.querySelector("use")?.setAttribute("href", live ? "#i-live" : "#i-offline");
      this.querySelector(".i")?.classList.toggle("pulse", live);
      const state = this.querySelector("[data-part=state]");
      if (state !== null) state.textContent = live ? CONNECTED : "offline";
      this.#banner(live, since);
    });
  }

  disconnectedCallback(): void {
    this.#stop();
    clearInterval(this.#ticking);
  }

  /** Shows how long ago the last observation arrived. */
  #tick(): void {
    const since = this.querySelector("[data-part=since]");
    const heard = lastHeard();
    if (since !== null && heard !== undefined) since.textContent = formatAge(Date.now() - heard);
  }

  #banner(live: boolean, since: number): void {
    const banner = document.getElementById("offline");
    if (banner === null) return;
    banner.hidden = live;
    const message = banner.querySelector("[data-part=message]");
    if (message === null || live) return;
    message.textContent = `Connection lost at ${formatClock(since)} UTC. Values stay as they were; trying again.`;
  }
}

document.addEventListener("click", ({ target }) => {
  if (target instanceof Element && target.closest("#offline [data-part=retry]") !== null) connect();
});

customElements.define("iso-live", IsoLive);
