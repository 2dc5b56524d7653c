import { formatTimestamp } from "../../core/time.ts";
import { formatNumber } from "../format.ts";
import type { CityForecast } from "../city-facts.ts";
import type { Scale } from "../units.ts";
import type { ZoneTime } from "../zone-time.ts";

/** The shade of a temperature: 5 °C a step, `t0` below −25 °C to `t11` from 30 °C on. */
export function heatClass(celsius: number | null): string {
  if (celsius === null) return "missing";
  return `t${Math.max(0, Math.min(11, Math.floor((celsius + 30) / 5)))}`;
}

/** A forecast every few hours: the value, and below it half the width of its interval. */
export function ForecastRibbon({
  forecast,
  scale,
  time,
  label,
  step,
}: {
  forecast: CityForecast;
  scale: Scale;
  time: ZoneTime;
  /** What the table is, for who does not see it. */
  label: string;
  /** Hours between two columns. */
  step: number;
}): JSX.Element {
  const points = forecast.points.filter((_, i) => i % step === step - 1);
  return (
    <table class="ribbon">
      <caption class="vh" safe>
        {label}
      </caption>
      <thead>
        <tr>
          {points.map(({ time: at }, i) => (
            <th scope="col" class={i % 2 === 1 ? "wide" : undefined}>
              <time datetime={formatTimestamp(at)} safe>
                {time.hour(at) < step ? time.day(at) : time.clock(at)}
              </time>
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        <tr>
          {points.map(({ value, lower, upper }, i) => (
            <td class={`${heatClass(value)}${i % 2 === 1 ? " wide" : ""}`}>
              <span safe>{formatNumber(scale.of(value), 0)}</span>
              <small safe>
                {lower === null || upper === null
                  ? ""
                  : `±${formatNumber(scale.difference((upper - lower) / 2), 0)}`}
              </small>
            </td>
          ))}
        </tr>
      </tbody>
    </table>
  );
}
