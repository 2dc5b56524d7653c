import { formatCount, formatNumber } from "../../format.ts";
import type { Scale } from "../../units.ts";
import { type ZoneTime, zoneTime } from "../../zone-time.ts";
import { Empty, Failed } from "../../parts/notes.tsx";
import type { ForecastVerification, MissedForecast } from "../../../core/forecast-verification.ts";

/** The share that should lie inside the interval. */
const PROMISED = 90;
/** Fewer hours say little of a share of nine in ten. */
const FEW = 100;

/**
 * How the forecasts of before did.
 *
 * @param props.verification null before the first forecast, `failed` where it cannot be made now
 */
export function ForecastVerificationPart({
  verification,
  scale,
}: {
  verification: ForecastVerification | null | "failed";
  scale: Scale;
}): JSX.Element {
  return (
    <section aria-labelledby="h-verification">
      <div class="bar">
        <h2 id="h-verification">
          Hits and misses{" "}
          <span class="count" safe>
            {verification === null || verification === "failed" || verification.n === 0
              ? ""
              : `${formatCount(verification.n, "forecast hour", "forecast hours")} since observed`}
          </span>
        </h2>
        <a class="more" href="/api/v1/forecast/verification">
          JSON
        </a>
      </div>
      {verification === "failed" ? (
        <Failed
          what="Cannot read the forecasts of before."
          todo="The newest ones above are right. Reload the page to try again."
        />
      ) : verification === null || verification.n === 0 ? (
        <Empty
          what="Not enough yet."
          why="A forecast is held against what was observed once its hours have come and have been reported."
        />
      ) : (
        <Scores verification={verification} scale={scale} />
      )}
    </section>
  );
}

function Scores({ verification, scale }: { verification: ForecastVerification; scale: Scale }): JSX.Element {
  const { n, within, since, issues, leads, misses } = verification;
  const time = zoneTime(null);
  return (
    <>
      <p>
        <b safe>{`${formatNumber((within / n) * 100, 0)} % inside the interval`}</b>
        <span safe>{`, ${PROMISED} % are promised${n < FEW ? "; these are too few to judge by" : ""}.`}</span>
      </p>
      <div class="scroll" tabindex="0" role="region" aria-labelledby="h-verification">
        <table class="num">
          <thead>
            <tr>
              <th scope="col">Hours ahead</th>
              <th scope="col">n</th>
              <th scope="col">Inside</th>
              <th scope="col">
                Mean error{" "}
                <span class="u" safe>
                  {scale.unit}
                </span>
              </th>
              <th scope="col">Too warm by</th>
            </tr>
          </thead>
          <tbody>
            {leads.map((lead) => (
              <tr>
                <th scope="row" safe>{`${lead.from} to ${lead.to}`}</th>
                <td safe>{formatNumber(lead.n, 0)}</td>
                <td safe>{lead.n === 0 ? "–" : `${formatNumber((lead.within / lead.n) * 100, 0)} %`}</td>
                <td safe>{formatNumber(scale.difference(lead.error), scale.digits)}</td>
                <td safe>{scale.signed(lead.bias)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {misses.length === 0 ? (
        ""
      ) : (
        <>
          <h3>Newest misses</h3>
          <ul class="runs">
            {misses.map((miss) => (
              <li>
                <b safe>{miss.city}</b>
                <span safe>{missText(miss, scale)}</span>
                <span class="u" safe>
                  {whenText(miss, time)}
                </span>
              </li>
            ))}
          </ul>
        </>
      )}
      <p class="u from" safe>
        {`From ${formatCount(issues, "hour", "hours")}${since === null ? "" : ` since ${time.short(since)} ${time.name(since)}`}; of each forecast hour the nearest observation of the same source. Forecasts of long before are not kept.`}
      </p>
    </>
  );
}

function missText({ observed, value, lower, upper }: MissedForecast, scale: Scale): string {
  return `${scale.text(observed)} ${scale.unit}, forecast ${scale.text(value)} (${scale.text(lower)} to ${scale.text(upper)})`;
}

function whenText({ time: ms, lead }: MissedForecast, time: ZoneTime): string {
  return `${time.short(ms)}, ${lead} h ahead`;
}
