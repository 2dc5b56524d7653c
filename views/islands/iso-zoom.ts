import { PLOT_WIDTH } from "../plot.ts";
import {
  bounded,
  sameWindow,
  stepped,
  type TimeWindow,
  windowParameters,
  ZOOM_STEPS,
  zoomed,
  type ZoomStep,
} from "../zoom.ts";

/** Debounce time, ms: when the window has not changed for this time, its page is fetched and its URL is set. */
const SETTLED_MS = 180;
/** A pointer that moves by less than this, px, is a click. */
const SLACK_PX = 4;
/** Zoom for each pixel of the wheel, and pixels for each line if the wheel counts in lines. */
const WHEEL = { zoom: 0.002, line: 16 };
/** A double click multiplies the width of the window by this. */
const DOUBLE = 0.5;
const KEYS: Readonly<Record<string, ZoomStep>> = {
  ArrowLeft: "earlier",
  ArrowRight: "later",
  "+": "in",
  "=": "in",
  "-": "out",
};

/**
 * Zooms and pans the server's charts inside it, by drag, wheel, pinch, keys and links. The present drawing is transformed at
 * once. After a debounce time the page for the new window is fetched, with the detail that fits the width, and its URL
 * becomes the URL of this page.
 */
class IsoZoom extends HTMLElement {
  #leaving = new AbortController();
  #loading: AbortController | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The window that the server has drawn, and the window that is wanted. */
  #drawn: TimeWindow = { from: 0, to: 1 };
  #wanted: TimeWindow = { from: 0, to: 1 };
  #address = "";
  /** Positions of the pointers now, and at the last change of their number. */
  #pointers = new Map<number, number>();
  #start: { window: TimeWindow; centre: number; apart: number } | undefined;
  #moved = false;

  connectedCallback(): void {
    this.#leaving = new AbortController();
    const { signal } = this.#leaving;
    this.#address = location.href;
    this.#read();
    this.addEventListener("click", (event) => this.#click(event), { signal });
    this.addEventListener("keydown", (event) => this.#key(event), { signal });
    this.addEventListener("wheel", (event) => this.#wheel(event), { signal, passive: false });
    this.addEventListener("dblclick", (event) => this.#double(event), { signal });
    this.addEventListener("pointerdown", (event) => this.#down(event), { signal });
    this.addEventListener("pointermove", (event) => this.#move(event), { signal });
    for (const name of ["pointerup", "pointercancel"] as const) {
      this.addEventListener(name, (event) => this.#up(event), { signal });
    }
    addEventListener("popstate", () => this.#back(), { signal });
  }

  disconnectedCallback(): void {
    this.#leaving.abort();
    this.#loading?.abort();
    clearTimeout(this.#timer);
  }

  /** Reads the window that the server has drawn. */
  #read(): void {
    this.#drawn = this.#wanted = { from: Number(this.dataset.from), to: Number(this.dataset.to) };
    const view = this.#view;
    view?.setAttribute("tabindex", "0");
    view?.setAttribute("role", "group");
    view?.setAttribute(
      "aria-label",
      "Chart of the history: arrow keys move, plus and minus zoom, 0 shows the whole range",
    );
    this.classList.remove("is-moving");
  }

  get #view(): HTMLElement | null {
    return this.querySelector<HTMLElement>("[data-zoom=view]");
  }

  #isInView(event: Event): boolean {
    return event.target instanceof Node && this.#view?.contains(event.target) === true;
  }

  #click(event: MouseEvent): void {
    const link =
      event.target instanceof Element ? event.target.closest<HTMLAnchorElement>("a[data-zoom]") : null;
    // Leave a click that opens a new tab to the browser.
    if (link === null || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const step = ZOOM_STEPS.find((name) => name === link.dataset.zoom);
    if (step !== undefined) this.#go(stepped(step, this.#wanted, this.#latest));
    else if (link.href !== "") void this.#load(link.href, true);
  }

  #key(event: KeyboardEvent): void {
    if (event.target !== this.#view || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = KEYS[event.key];
    const all = this.querySelector<HTMLAnchorElement>("a[data-zoom=all]");
    if (step !== undefined) this.#go(stepped(step, this.#wanted, this.#latest));
    else if (event.key === "0" && all !== null && all.href !== "") void this.#load(all.href, true);
    else return;
    event.preventDefault();
  }

  /** Over a chart without focus the wheel scrolls the page, unless it moves sideways or Ctrl is held. */
  #wheel(event: WheelEvent): void {
    if (!this.#isInView(event)) return;
    const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? WHEEL.line : 1;
    const aside = event.shiftKey && event.deltaX === 0 ? event.deltaY : event.deltaX;
    const sideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
    const zooms = event.ctrlKey || event.metaKey || document.activeElement === this.#view;
    if (!sideways && !zooms) return;
    event.preventDefault();
    const { from, to } = this.#wanted;
    const by = ((aside * unit) / this.#box.width) * (to - from);
    this.#go(
      bounded(
        sideways
          ? { from: from + by, to: to + by }
          : zoomed(this.#wanted, Math.exp(event.deltaY * unit * WHEEL.zoom), this.#share(event.clientX)),
        this.#latest,
      ),
    );
  }

  #double(event: MouseEvent): void {
    if (!this.#isInView(event)) return;
    this.#go(bounded(zoomed(this.#wanted, DOUBLE, this.#share(event.clientX)), this.#latest));
  }

  #down(event: PointerEvent): void {
    if (!this.#isInView(event) || event.button !== 0) return;
    this.#pointers.set(event.pointerId, event.clientX);
    this.#moved = false;
    this.#begin();
  }

  #begin(): void {
    this.#start = this.#pointers.size === 0 ? undefined : { window: this.#wanted, ...this.#hand() };
  }

  #move(event: PointerEvent): void {
    if (!this.#pointers.has(event.pointerId)) return;
    // The button was released outside the window.
    if (event.pointerType === "mouse" && event.buttons === 0) return this.#up(event);
    this.#pointers.set(event.pointerId, event.clientX);
    const start = this.#start;
    if (start === undefined) return;
    const { centre, apart } = this.#hand();
    if (!this.#moved) {
      if (Math.abs(centre - start.centre) < SLACK_PX && Math.abs(apart - start.apart) < SLACK_PX) return;
      this.#moved = true;
      this.#loading?.abort();
      clearTimeout(this.#timer);
      this.setPointerCapture(event.pointerId);
    }
    const { width } = this.#box;
    const wider = zoomed(
      start.window,
      start.apart > 0 && apart > 0 ? start.apart / apart : 1,
      this.#share(start.centre),
    );
    const by = ((start.centre - centre) / width) * (wider.to - wider.from);
    this.#wanted = bounded({ from: wider.from + by, to: wider.to + by }, this.#latest);
    this.#preview();
  }

  #up(event: PointerEvent): void {
    if (!this.#pointers.delete(event.pointerId)) return;
    this.#begin();
    if (this.#pointers.size === 0 && this.#moved) this.#go(this.#wanted);
  }

  /** Centre and distance of the fingers, px. */
  #hand(): { centre: number; apart: number } {
    const at = [...this.#pointers.values()];
    const low = Math.min(...at);
    const high = Math.max(...at);
    return { centre: (low + high) / 2, apart: at.length > 1 ? high - low : 0 };
  }

  get #latest(): number {
    return Number(this.dataset.latest);
  }

  get #box(): DOMRect {
    return (this.querySelector(".plot-xy") ?? this).getBoundingClientRect();
  }

  #share(clientX: number): number {
    const { left, width } = this.#box;
    return Math.min(1, Math.max(0, (clientX - left) / width));
  }

  /** Previews a window at once, and fetches its page after the debounce time. */
  #go(window: TimeWindow): void {
    this.#loading?.abort();
    clearTimeout(this.#timer);
    this.#wanted = window;
    this.#preview();
    this.#timer = setTimeout(() => {
      if (this.#pointers.size > 0) return; // a drag is in progress; its end comes here again
      if (sameWindow(this.#wanted, this.#drawn)) return this.#read();
      const address = new URL(this.#address);
      for (const [name, value] of Object.entries(windowParameters(this.#wanted))) {
        address.searchParams.set(name, value);
      }
      void this.#load(address.href, true);
    }, SETTLED_MS);
  }

  /** Transforms the present drawing; labels and marks change only with the new one. */
  #preview(): void {
    const { from, to } = this.#drawn;
    const scale = PLOT_WIDTH / (to - from);
    const x = (this.#wanted.from - from) * scale;
    const width = (this.#wanted.to - this.#wanted.from) * scale;
    this.classList.toggle("is-moving", !sameWindow(this.#wanted, this.#drawn));
    for (const svg of this.querySelectorAll(".plot-xy > svg[viewBox]")) {
      const [, , , height] = (svg.getAttribute("viewBox") ?? "").split(" ");
      svg.setAttribute("viewBox", `${x} 0 ${width} ${height}`);
    }
  }

  #back(): void {
    if (location.href.split("#")[0] !== this.#address.split("#")[0]) void this.#load(location.href, false);
  }

  /** Fetches a page and replaces the history of this page by its history. */
  async #load(address: string, isNew: boolean): Promise<void> {
    this.#loading?.abort();
    clearTimeout(this.#timer);
    const { signal } = (this.#loading = new AbortController());
    this.setAttribute("aria-busy", "true");
    try {
      const response = await fetch(address, { signal });
      if (!response.ok) throw new Error(`the server answered ${response.status}`);
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      const next = page.querySelector<HTMLElement>("iso-zoom");
      if (next === null || signal.aborted) return;
      if (isNew) history.pushState(null, "", address);
      this.#address = address;
      this.#show(next);
      for (const part of document.querySelectorAll("[data-zoomed]")) {
        const name = part.getAttribute("data-zoomed") ?? "";
        const other = page.querySelector(`[data-zoomed="${CSS.escape(name)}"]`);
        if (other !== null) part.replaceChildren(...other.childNodes);
      }
    } catch (error) {
      if (signal.aborted) return;
      console.warn("Cannot show that part of the history:", error);
      this.#wanted = this.#drawn;
      this.#preview();
    } finally {
      // A load that was superseded leaves the attribute to the newer load.
      if (this.#loading?.signal === signal) this.removeAttribute("aria-busy");
    }
  }

  #show(next: HTMLElement): void {
    const focused = document.activeElement?.closest<HTMLElement>("[data-zoom]");
    const name =
      focused !== null && focused !== undefined && this.contains(focused) ? focused.dataset.zoom : undefined;
    for (const key of ["from", "to", "latest"]) this.dataset[key] = next.dataset[key] ?? "";
    this.replaceChildren(...next.childNodes);
    this.#read();
    if (name === undefined) return;
    // A disabled link cannot have the focus; the chart gets it.
    const again = this.querySelector<HTMLElement>(`[data-zoom="${CSS.escape(name)}"]:is([href], [tabindex])`);
    (again ?? this.#view)?.focus({ preventScroll: true });
  }
}

customElements.define("iso-zoom", IsoZoom);
