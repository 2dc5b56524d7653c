import { formatAge } from "../format.ts";
import { dataNow, observed, STALE_MS, wallNow } from "./clock.ts";
import { tellHtmx } from "./live.ts";

/** Updates all ages on the page and marks stale values. */
export function tick(): void {
  const times = document.querySelectorAll<HTMLTimeElement>("time[data-age]");
  for (const time of times) if (time.dataset.wall === undefined) observed(Date.parse(time.dateTime));
  let changed = false;
  for (const time of times) {
    const at = Date.parse(time.dateTime);
    if (Number.isNaN(at)) continue;
    const age = (time.dataset.wall === undefined ? dataNow() : wallNow()) - at;
    const text = formatAge(age) + (time.dataset.age ?? "");
    if (time.textContent !== text) time.textContent = text;
    const city = time.closest("[data-city]");
    if (city === null || city.classList.contains("is-stale") === age > STALE_MS) continue;
    city.classList.toggle("is-stale");
    changed = true;
  }
  if (changed) tellHtmx("cities-changed");
}
