import type { About, ShownSetting } from "../../../core/about.ts";
import type { DatasetKind } from "../../../core/dataset-kind.ts";
import { webAddress } from "../../attribute.ts";

/** What the page about the program shows. */
export interface AboutProps extends About {
  /** Names and versions of what runs inside. */
  parts: { name: string; version: string }[];
  /** Under which terms the data of each source may be used; without a `url` none is needed. */
  licences: { source: string; name: string; url: string | null; note: string }[];
  /** Without secrets. */
  settings: readonly ShownSetting[];
}

const KINDS: Record<DatasetKind, string> = {
  observed: "observed: real weather",
  simulated: "simulated: invented, kept in a data set of its own",
  replayed: "replayed: recorded earlier, in a data set of its own",
};

/** What runs here, how it is set, and whose data it is. */
export function AboutPage(props: AboutProps): JSX.Element {
  return (
    <>
      <div class="headline">
        <h1>
          Isobar <span safe>{props.version}</span>
        </h1>
        <p class="asof">
          Collects weather observations as a stream, keeps each exactly once, shows within a second what
          happens.
        </p>
      </div>
      <div class="split even">
        <ThisProcess {...props} />
        <Credits source={props.source} licences={props.licences} />
      </div>
      <Settings settings={props.settings} />
    </>
  );
}

/** Data set, ports and versions of this process. */
function ThisProcess(props: AboutProps): JSX.Element {
  const { dataset, kind, source, parts } = props;
  const facts: [string, string][] = [
    ["Data set", dataset],
    ["Kind", KINDS[kind]],
    ["Source", source === null ? "none: this process only shows" : `${source.name}: ${source.reason}`],
    ["Log", props.log],
    ["Lake", props.lake],
    ["Engine", props.engine],
    ["Stale after", `${props.staleAfterSeconds} s`],
  ];
  return (
    <section aria-labelledby="h-here">
      <div class="bar">
        <h2 id="h-here">This process</h2>
      </div>
      <dl class="rows">
        {facts.map(([name, value]) => (
          <div>
            <dt safe>{name}</dt>
            <dd safe>{value}</dd>
          </div>
        ))}
        {parts.map(({ name, version: its }) => (
          <div>
            <dt safe>{name}</dt>
            <dd safe>{its}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

/** Whose data it is, and under which terms. */
function Credits({ source, licences }: Pick<AboutProps, "source" | "licences">): JSX.Element {
  return (
    <section aria-labelledby="h-credits">
      <div class="bar">
        <h2 id="h-credits">Data and its licences</h2>
      </div>
      {source?.credit == null ? (
        ""
      ) : (
        <p class="note">
          <span>
            In use:{" "}
            <a href={webAddress(source.credit.url)} safe>
              {source.credit.text}
            </a>
          </span>
        </p>
      )}
      <dl class="rows">
        {licences.map(({ source: title, name, url, note }) => (
          <div>
            <dt safe>{title}</dt>
            <dd>
              {url === null ? (
                <span safe>{name}</span>
              ) : (
                <a href={webAddress(url)} safe>
                  {name}
                </a>
              )}
              <small safe>{note}</small>
            </dd>
          </div>
        ))}
        <div>
          <dt>Isobar</dt>
          <dd>
            Apache-2.0
            <small>
              Built with Bun, Elysia, Kita, htmx, uPlot, DuckDB and Apache Arrow, each under its own licence.
            </small>
          </dd>
        </div>
      </dl>
    </section>
  );
}

/** The settings in force. */
function Settings({ settings }: Pick<AboutProps, "settings">): JSX.Element {
  return (
    <section aria-labelledby="h-settings">
      <div class="bar">
        <h2 id="h-settings">
          Settings <span class="count">environment variables; secrets are never shown</span>
        </h2>
      </div>
      <div class="scroll" tabindex="0" role="region" aria-labelledby="h-settings">
        <table class="settings">
          <thead>
            <tr>
              <th scope="col">Setting</th>
              <th scope="col">Value</th>
              <th scope="col" class="wide">
                What it is for
              </th>
            </tr>
          </thead>
          <tbody>
            {settings.map(({ name, value, otherwise, unit, meaning }) => (
              <tr>
                <th scope="row">
                  <code safe>{name}</code>
                </th>
                <td>
                  {value === null ? (
                    <span class="u" safe>
                      {`not set: ${plain(otherwise)}`}
                    </span>
                  ) : (
                    <>
                      <code safe>{value}</code>
                      {unit === null ? (
                        ""
                      ) : (
                        <span class="u" safe>
                          {unit}
                        </span>
                      )}
                    </>
                  )}
                </td>
                <td class="wide u" safe>
                  {plain(meaning)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

/** The table of settings is written for Markdown. */
function plain(text: string): string {
  return text.replaceAll("`", "");
}
