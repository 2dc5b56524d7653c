import type { Observation } from "../../core/observation.ts";
import { formatCondition, formatSigned, formatTime } from "../format.ts";
import { lineOf, SPARK } from "../line.ts";
import type { Series } from "../../core/chart-history.ts";
import { VARIABLE_NAMES } from "../../core/variables.ts";
import { FLAT_BELOW, trendOf } from "../series.ts";
import { tick } from "./ages.ts";
import { onHistory, pastOf } from "./history.ts";
import { tellHtmx, onLive } from "./live.ts";
import { SCALES } from "./units.ts";

/** Updates the cards and rows inside it: values, ages, trends and sparklines. */
class IsoCities extends HTMLElement {
  #stops: (() => void)[] = [];

  connectedCallback(): void {
    const filled = () => this.#courses();
    document.addEventListener("stream-fill", filled);
    this.#stops = [
      onLive("observations", (observations) => this.#take(observations)),
      onHistory(filled),
      () => document.removeEventListener("stream-fill", filled),
    ];
  }

  disconnectedCallback(): void {
    for (const stop of this.#stops) stop();
  }

  #take(observations: readonly Observation[]): void {
    const newest = new Map(observations.map((observation) => [observation.city, observation]));
    for (const element of this.querySelectorAll<HTMLElement>("[data-city]")) {
      const observation = newest.get(element.dataset.city ?? "");
      if (observation !== undefined) show(element, observation);
    }
    tick();
  }

  #courses(): void {
    const past = pastOf();
    if (past === undefined) return;
    for (const series of past.series) {
      const card = this.querySelector(`.card[data-city="${CSS.escape(series.city)}"]`);
      if (card !== null) course(card, series, past.from, past.to);
    }
  }
}

/** Writes an observation into a card or a row, unless it shows a newer one. */
function show(element: HTMLElement, observation: Observation): void {
  const time = element.querySelector<HTMLTimeElement>("time[data-age]");
  if (
    time === null ||
    (time.dateTime !== "" && Date.parse(time.dateTime) > Date.parse(observation.timestamp))
  )
    return;
  const never = element.querySelector("[data-part=never]");
  if (never !== null) {
    never.remove();
    time.hidden = false;
    tellHtmx("cities-changed");
  }
  time.dateTime = observation.timestamp;
  time.title = formatTime(Date.parse(observation.timestamp));
  for (const field of VARIABLE_NAMES) {
    const place = element.querySelector(`[data-field="${field}"]`);
    const data = place?.querySelector("data");
    if (!place || !data) continue;
    const value = observation[field] ?? null;
    place.classList.toggle("missing", value === null);
    data.value = value === null ? "" : String(value);
    data.textContent = SCALES[field].text(value);
  }
  const condition = element.querySelector('[data-field="condition"]');
  if (condition === null) return;
  condition.classList.toggle("missing", observation.weather_description === null);
  condition.textContent = formatCondition(observation.weather_description);
}

/** Redraws a card's trend and sparkline. */
function course(card: Element, series: Series, from: number, to: number): void {
  const part = (name: string) => card.querySelector(`[data-part="${name}"]`);
  const trend = trendOf(series, SCALES.temperature.difference(FLAT_BELOW) ?? FLAT_BELOW);
  part("arrow")?.setAttribute("href", `#i-${trend?.direction ?? "none"}`);
  write(part("delta"), trend === null ? "" : formatSigned(trend.delta, 1));
  write(part("per"), trend === null ? "" : "/3 h");
  const { d, end } = lineOf(series, from, to, SPARK);
  part("line")?.setAttribute("d", d);
  const dot = part("end");
  dot?.setAttribute("cx", String(end?.x ?? 0));
  dot?.setAttribute("cy", String(end?.y ?? 0));
  dot?.setAttribute("r", end === null ? "0" : "2.6");
}

function write(element: Element | null, text: string): void {
  if (element !== null && element.textContent !== text) element.textContent = text;
}

customElements.define("iso-cities", IsoCities);
