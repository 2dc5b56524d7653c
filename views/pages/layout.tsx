import type { About } from "../../core/about.ts";
import { attribute, webAddress } from "../attribute.ts";
import { Icon, Sprite } from "../parts/icons.tsx";
import { scalesOf, writeUnits, type Units } from "../units.ts";

/** What every page shows around its content. */
export interface Frame extends Pick<About, "version" | "dataset" | "kind" | "source" | "staleAfterSeconds"> {
  /** Path of the page, or null for one that has none of its own. */
  path: string | null;
  title: string;
  /** When the page was made, ms. */
  now: number;
  /** The reader's units. */
  units: Units;
  /** Address of the live feed of what the page shows. */
  live: string;
  /** Addresses of the built files. */
  assets: { styles: string; icon: string; theme: string; boot: string; htmx: string };
  /** Where a reader without script is sent, for pages whose parts come late. */
  whole: string | null;
}

/** A page in two pieces, so that late parts can be sent between them. */
export interface Shell {
  /** From the doctype to the end of the visible content. */
  start: string;
  /** What closes the page. */
  end: string;
}

const PAGES = [
  { path: "/", name: "Now" },
  { path: "/anomalies", name: "Anomalies" },
  { path: "/trends", name: "Trends" },
  { path: "/forecast", name: "Forecast" },
  { path: "/alerts", name: "Alerts" },
  { path: "/jobs", name: "Jobs" },
  { path: "/pipeline", name: "Pipeline" },
  { path: "/about", name: "About" },
] as const;

const API = [
  { href: "/api", name: "How to ask" },
  { href: "/api/v1/current", name: "Current" },
  { href: "/api/v1/observations", name: "Observations" },
  { href: "/api/v1/statistics", name: "Statistics" },
  { href: "/api/v1/trends", name: "Trends" },
  { href: "/api/v1/anomalies", name: "Anomalies" },
  { href: "/api/v1/pipeline", name: "Pipeline" },
] as const;

const KINDS = {
  simulated: "Invented by the simulator, and kept in a data set of its own",
  replayed: "Recorded earlier and played back, in a data set of its own",
} as const;

/** htmx without what the Content-Security-Policy forbids or a page of ours does not need. */
const HTMX = JSON.stringify({ includeIndicatorCSS: false, history: false, defaultTimeout: 10_000 });

/** The frame of every page around its content, which is HTML already. */
export function layout(frame: Frame, content: string): Shell {
  const { start, foot, end } = frameAround(frame);
  return { start: start + content + foot, end };
}

/** The frame of every page in three pieces: what stands before its content, what stands below it, and what closes the page. */
export function frameAround(frame: Frame): Shell & { foot: string } {
  return {
    start: `<!doctype html>${open(frame)}${String(<Head frame={frame} />)}<body>${String(<Top frame={frame} />)}<main id="main" tabindex="-1">`,
    foot: `</main>${String(<Footer frame={frame} />)}`,
    end: "</body></html>\n",
  };
}

// A stream cuts the page in its content and after it, so the elements that span the cuts are written as text.
function open({ now, staleAfterSeconds, kind, units, live }: Frame): string {
  return `<html lang="en" data-now="${now}" data-stale="${staleAfterSeconds}" data-kind="${kind}" data-units="${writeUnits(units)}" data-live="${attribute(live)}">`;
}

function Head({ frame }: { frame: Frame }): JSX.Element {
  const { assets, whole } = frame;
  return (
    <head>
      <meta charset="utf-8" />
      <title safe>{`${frame.title} · Isobar`}</title>
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="color-scheme" content="light dark" />
      <meta name="htmx-config" content={attribute(HTMX)} />
      <link rel="icon" href={assets.icon} type="image/svg+xml" />
      <link rel="stylesheet" href={assets.styles} />
      <script src={assets.theme}></script>
      {/* async: the elements it defines must work while the page still streams. */}
      <script type="module" async src={assets.boot}></script>
      <script defer src={assets.htmx}></script>
      {whole !== null ? (
        <noscript>
          <meta http-equiv="refresh" content={attribute(`0; url=${whole}`)} />
        </noscript>
      ) : frame.units.refresh === "60" ? (
        <noscript>
          <meta http-equiv="refresh" content="60" />
        </noscript>
      ) : (
        ""
      )}
    </head>
  );
}

function Top({ frame }: { frame: Frame }): JSX.Element {
  return (
    <>
      <a class="skip" href="#main">
        Skip to content
      </a>
      <Sprite />
      <Header frame={frame} />
    </>
  );
}

function Header({ frame }: { frame: Frame }): JSX.Element {
  return (
    <>
      <header class="top">
        <a class="brand" href="/">
          <Icon name="logo" />
          Isobar
        </a>
        <nav aria-label="Main">
          <ul>
            {PAGES.map(({ path, name }) => (
              <li>
                <a href={path} aria-current={currentOf(path, frame.path)}>
                  {name}
                </a>
              </li>
            ))}
          </ul>
        </nav>
        <div class="tools">
          {frame.dataset === frame.kind ? (
            ""
          ) : (
            <span class="set wide" title="Data set" safe>
              {frame.dataset}
            </span>
          )}
          <SourceBadge frame={frame} />
          <iso-live class="js">
            <span class="st" role="status">
              <Icon name="live" />
              <span data-part="state">waiting</span>
            </span>
            <span class="u wide" data-part="since" aria-hidden="true"></span>
          </iso-live>
          <a
            class="quiet"
            href={`/units${frame.path === null ? "" : `?back=${encodeURIComponent(frame.path)}`}`}
            aria-label={attribute(`Units and time: ${unitsLabel(frame)}`)}
            safe
          >
            {unitsLabel(frame)}
          </a>
          <button type="button" class="quiet js" data-theme-toggle>
            Auto
          </button>
        </div>
      </header>
      <div class="banner" id="offline" role="alert" hidden>
        <Icon name="offline" />
        <span data-part="message">Connection lost.</span>
        <button type="button" data-part="retry">
          Try now
        </button>
      </div>
    </>
  );
}

function unitsLabel({ units }: Frame): string {
  return scalesOf(units).temperature.unit;
}

/** Whether a page of the navigation is the one shown, or the one above it. */
function currentOf(path: string, shown: string | null): "page" | "true" | undefined {
  if (path === shown) return "page";
  return path !== "/" && shown?.startsWith(`${path}/`) === true ? "true" : undefined;
}

/** Where the data comes from: dashed where it is not being observed now. */
function SourceBadge({ frame: { kind, source } }: { frame: Frame }): JSX.Element {
  if (kind === "observed") {
    return source === null ? (
      <></>
    ) : (
      <span class="badge is-real" title={attribute(source.reason)} safe>
        {source.name}
      </span>
    );
  }
  return (
    <span class="badge" title={KINDS[kind]}>
      {kind}
    </span>
  );
}

function Footer({ frame }: { frame: Frame }): JSX.Element {
  const credit = frame.source?.credit ?? null;
  return (
    <footer class="foot">
      <p>
        Isobar <span safe>{frame.version}</span> · data set <b safe>{frame.dataset}</b>
        {frame.kind === "observed" || frame.kind === frame.dataset ? "" : <span>, {frame.kind}</span>}
        {credit === null ? (
          ""
        ) : (
          <>
            {" · "}
            <a href={webAddress(credit.url)} safe>
              {credit.text}
            </a>
          </>
        )}
      </p>
      <nav aria-label="API">
        <ul>
          <li>API</li>
          {API.map(({ href, name }) => (
            <li>
              <a href={href}>{name}</a>
            </li>
          ))}
        </ul>
      </nav>
    </footer>
  );
}
