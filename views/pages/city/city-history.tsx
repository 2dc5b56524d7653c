import { addressName } from "../../../core/city-name.ts";
import { attribute } from "../../attribute.ts";
import { type CityHistoryProps, type CityPageProps, RANGES } from "./city-props.ts";
import { zoneTime } from "../../zone-time.ts";
import {
  sameWindow,
  stepped,
  type TimeWindow,
  windowParameters,
  ZOOM_STEPS,
  type ZoomStep,
} from "../../zoom.ts";
import { CityChoice } from "../../parts/city-choice.tsx";
import { Panels, stretch } from "./city-panels.tsx";
import { Empty } from "../../parts/notes.tsx";

/** A city's past and what comes next, a panel for each variable over one time. */
export function CityHistoryPart(props: CityHistoryProps): JSX.Element {
  const { place, range, units, compare, window } = props;
  const time = zoneTime(units.time === "city" ? place.zone : null);
  return (
    <iso-zoom data-from={window.from} data-to={window.to} data-latest={window.latest}>
      <section aria-labelledby="h-history">
        <div class="bar">
          <h2 id="h-history">
            History and forecast{" "}
            <span class="count" safe>
              {window.zoomed
                ? `${stretch(props, time)}, ${time.name(window.from)}`
                : `${range.label}, next ${range.forecastHours} h, ${time.name(props.asOf)}`}
            </span>
          </h2>
          <div class="segs">
            <nav class="seg" aria-label="Range">
              {RANGES.map(({ name, label }) => (
                <a
                  href={attribute(addressOf(props, name))}
                  aria-current={name === range.name && !window.zoomed ? "true" : undefined}
                >
                  {label}
                </a>
              ))}
            </nav>
            <ZoomLinks {...props} />
            {props.others.length === 0 ? "" : <CompareForm {...props} />}
          </div>
        </div>
        <div data-zoom="view">
          <Panels {...props} time={time} />
        </div>
        <p class="u from js">
          Drag to move; Ctrl and the wheel, or two fingers, to zoom. With the chart in focus the wheel, arrow
          keys, plus, minus and 0.
        </p>
        {compare !== null && props.compared.length === 0 ? (
          <Empty what={`Nothing of ${compare.name} to compare with.`} why="It has no report in this time." />
        ) : (
          ""
        )}
      </section>
    </iso-zoom>
  );
}

const STEP_NAMES: Record<ZoomStep, string> = {
  earlier: "Earlier",
  later: "Later",
  in: "Zoom in",
  out: "Zoom out",
};

/** Moves and zooms by plain links; one that leads nowhere has no address. */
function ZoomLinks(props: CityPageProps): JSX.Element {
  const { range, window } = props;
  const link = (name: string, label: string, href: string | null) =>
    href === null ? (
      <a data-zoom={attribute(name)} role="link" aria-disabled="true" safe>
        {label}
      </a>
    ) : (
      <a data-zoom={attribute(name)} href={attribute(href)} safe>
        {label}
      </a>
    );
  return (
    <nav class="seg" aria-label="Time shown">
      {ZOOM_STEPS.map((step) => {
        const to = stepped(step, window, window.latest);
        return link(step, STEP_NAMES[step], sameWindow(to, window) ? null : addressOf(props, range.name, to));
      })}
      {link("all", "Reset", window.zoomed ? addressOf(props, range.name) : null)}
    </nav>
  );
}

function addressOf({ place, compare, others }: CityPageProps, range: string, zoom?: TimeWindow): string {
  const query = new URLSearchParams({
    range,
    ...(zoom === undefined ? {} : windowParameters(zoom)),
    ...(compare === null ? {} : { compare: addressName(compare, [place, ...others]) }),
  });
  return `/cities/${encodeURIComponent(place.slug)}?${query}`;
}

function CompareForm({ place, range, others, compare, window }: CityPageProps): JSX.Element {
  return (
    <form class="filter" method="get" action={`/cities/${encodeURIComponent(place.slug)}`}>
      <input type="hidden" name="range" value={range.name} />
      {window.zoomed
        ? Object.entries(windowParameters(window)).map(([name, value]) => (
            <input type="hidden" name={attribute(name)} value={attribute(value)} />
          ))
        : ""}
      <label for="compare">Compare with</label>
      <CityChoice
        name="compare"
        none="no other city"
        cities={others}
        known={[place, ...others]}
        chosen={compare?.slug ?? null}
      />
      <button type="submit">Show</button>
    </form>
  );
}
