import { ANOMALY_KINDS } from "../../core/alert-rule.ts";
import { VARIABLES } from "../../core/observation.ts";
import { attribute } from "../attribute.ts";
import { formatCount } from "../format.ts";
import { Age } from "../parts/age.tsx";
import { Icon, type IconName } from "../parts/icons.tsx";
import { Empty, Failed } from "../parts/notes.tsx";

/** What was typed into a form that was refused. */
export interface RuleEntry {
  values?: Readonly<Record<string, string>>;
  channels?: readonly string[];
}

/** A way to a person or a program, without what may be a key. */
export interface ChannelProps {
  name: string;
  type: "webhook" | "sms" | "email";
  /** A host, or the domains of addresses. */
  target: string;
  /** Its quiet hours in words; null where it has none. */
  quiet: string | null;
}

/** A rule with its state. */
export interface RuleProps {
  id: string;
  name: string;
  /** Null for every city. */
  city: string | null;
  /** In words. */
  condition: string;
  channels: readonly string[];
  /** How many of its alerts are active. */
  active: number;
  isOfFile: boolean;
}

/** An alert that has not recovered. Times are ms. */
export interface ActiveProps {
  rule: string;
  city: string;
  source: string;
  condition: string;
  since: number;
}

/** A message that was sent, or is to be. */
export interface MessageProps {
  channel: string;
  type: "alert" | "recovery" | "test";
  text: string;
  state: "waiting" | "sent" | "failed";
  tries: number;
  error: string | null;
  /** ms. */
  madeAt: number;
}

/** The page of alerts. */
export interface AlertsProps {
  /** ms. */
  now: number;
  /** Whether there is a file of channels. */
  isOn: boolean;
  /** Names that are offered. */
  cities: readonly string[];
  channels: readonly ChannelProps[];
  rules: readonly RuleProps[];
  active: readonly ActiveProps[];
  messages: readonly MessageProps[];
  /** What has just been done; null for nothing. */
  notice: string | null;
  /** Why the form was refused; null where it was not. */
  error: string | null;
  entry: RuleEntry;
}

/** Alerts: what is active, the rules, the channels, and what was sent. */
export function AlertsPage(props: AlertsProps): JSX.Element {
  const { active, isOn, notice, messages } = props;
  const failing = messages.filter(({ state, tries }) => state === "waiting" && tries > 0).length;
  const answer =
    active.length === 0
      ? "No alert is active"
      : `${formatCount(active.length, "alert is", "alerts are")} active`;
  return (
    <>
      <div class="headline">
        <h1>
          <span safe>{answer}</span>
          <span class="rest" safe>
            {failing === 0
              ? ""
              : `, ${formatCount(failing, "message", "messages")} could not be delivered yet`}
          </span>
        </h1>
        <p class="asof">One message per rule and city, and one when it is over.</p>
      </div>
      {notice === null ? (
        ""
      ) : (
        <p class="note" role="status">
          <Icon name="ok" />
          <span safe>{notice}</span>
        </p>
      )}
      {isOn ? (
        <>
          <Active {...props} />
          <Rules {...props} />
          <MakeRule {...props} />
          <Channels {...props} />
          <Messages {...props} />
        </>
      ) : (
        <section aria-label="Alerts">
          <Empty
            what="There are no channels yet."
            why="Write them into a file and name it in ALERTS_FILE; docs/alerts.md shows one."
          />
        </section>
      )}
    </>
  );
}

function Active({ active, now }: AlertsProps): JSX.Element {
  if (active.length === 0) return <></>;
  return (
    <section aria-labelledby="h-active">
      <div class="bar">
        <h2 id="h-active">Active</h2>
      </div>
      <div class="scroll" tabindex="0">
        <table>
          <thead>
            <tr>
              <th scope="col">Rule</th>
              <th scope="col">City</th>
              <th scope="col">Condition</th>
              <th scope="col">For</th>
            </tr>
          </thead>
          <tbody>
            {active.map((alert) => (
              <tr>
                <th scope="row" safe>
                  {alert.rule}
                </th>
                <td>
                  <span safe>{alert.city}</span>
                  <small safe>{alert.source}</small>
                </td>
                <td safe>{alert.condition}</td>
                <td class="nw">
                  <Age time={alert.since} now={now} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Rules({ rules }: AlertsProps): JSX.Element {
  return (
    <section aria-labelledby="h-rules">
      <div class="bar">
        <h2 id="h-rules">Rules</h2>
      </div>
      {rules.length === 0 ? (
        <Empty what="There is no rule yet." why="Make one below, or write one into the file." />
      ) : (
        <div class="scroll">
          <table>
            <thead>
              <tr>
                <th scope="col">Rule</th>
                <th scope="col">City</th>
                <th scope="col">Condition</th>
                <th scope="col">Channels</th>
                <th scope="col">State</th>
                <th scope="col" class="right">
                  Action
                </th>
              </tr>
            </thead>
            <tbody>
              {rules.map((rule) => (
                <tr>
                  <th scope="row" safe>
                    {rule.name}
                  </th>
                  <td safe>{rule.city ?? "every city"}</td>
                  <td safe>{rule.condition}</td>
                  <td safe>{rule.channels.length === 0 ? "none is left" : rule.channels.join(", ")}</td>
                  <td class="nw" safe>
                    {rule.active === 0 ? "quiet" : `${rule.active} active`}
                  </td>
                  <td class="right">
                    {rule.isOfFile ? (
                      <span class="u">in the file</span>
                    ) : (
                      <form method="post" action={`/alerts/rules/${encodeURIComponent(rule.id)}/delete`}>
                        <button type="submit" aria-label={attribute(`Delete the rule ${rule.name}`)}>
                          Delete
                        </button>
                      </form>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

function MakeRule({ cities, channels, error, entry }: AlertsProps): JSX.Element {
  const typed = (name: string) => attribute(entry.values?.[name] ?? "");
  const choose = (name: string, values: readonly string[], names: readonly string[] = values) =>
    values.map((value, i) => (
      <option value={attribute(value)} selected={entry.values?.[name] === value} safe>
        {names[i] ?? value}
      </option>
    ));
  const isAnomaly = entry.values?.watch === "anomaly";
  return (
    <section aria-labelledby="h-make" id="make">
      <div class="bar">
        <h2 id="h-make">Make a rule</h2>
      </div>
      {error === null ? "" : <Failed what={error} todo="Change it and send it again." />}
      <form method="post" action="/alerts/rules#make" class="form">
        <p>
          <label for="f-name">Name</label>
          <input id="f-name" name="name" required maxlength="100" value={typed("name")} />
        </p>
        <p>
          <label for="f-city">City, empty for every city</label>
          <input id="f-city" name="city" list="f-cities" maxlength="200" value={typed("city")} />
          <datalist id="f-cities">
            {cities.map((city) => (
              <option value={attribute(city)}></option>
            ))}
          </datalist>
        </p>
        <fieldset>
          <legend>
            <input type="radio" id="f-limit-of" name="watch" value="threshold" checked={!isAnomaly} />
            <label for="f-limit-of">A value passes a limit</label>
          </legend>
          <p>
            <label for="f-variable">Variable</label>
            <select id="f-variable" name="variable">
              {choose("variable", VARIABLES, VARIABLE_NAMES)}
            </select>
          </p>
          <p>
            <label for="f-side">Is</label>
            <select id="f-side" name="side">
              {choose("side", ["above", "below"])}
            </select>
          </p>
          <p>
            <label for="f-limit">Limit</label>
            <input id="f-limit" name="limit" inputmode="decimal" value={typed("limit")} />
          </p>
          <p>
            <label for="f-minutes">For at least, minutes</label>
            <input id="f-minutes" name="for_minutes" inputmode="numeric" value={typed("for_minutes")} />
          </p>
        </fieldset>
        <fieldset>
          <legend>
            <input type="radio" id="f-kind-of" name="watch" value="anomaly" checked={isAnomaly} />
            <label for="f-kind-of">Something is unusual</label>
          </legend>
          <p>
            <label for="f-kind">Kind</label>
            <select id="f-kind" name="anomaly">
              {choose("anomaly", ANOMALY_KINDS)}
            </select>
          </p>
          <p>
            <label for="f-severity">Severity</label>
            <select id="f-severity" name="severity">
              {choose("severity", ["2", "3", "1"], ["2 or more: an alert", "3: severe", "1 or more: shown"])}
            </select>
          </p>
        </fieldset>
        <fieldset>
          <legend>Channels</legend>
          {channels.map(({ name }, i) => (
            <p>
              <input
                type="checkbox"
                id={`f-channel-${i}`}
                name="channel"
                value={attribute(name)}
                checked={entry.channels?.includes(name) ?? i === 0}
              />
              <label for={`f-channel-${i}`} safe>
                {name}
              </label>
            </p>
          ))}
        </fieldset>
        <p>
          <button type="submit">Make the rule</button>
        </p>
      </form>
    </section>
  );
}

const VARIABLE_NAMES = ["temperature, °C", "humidity, %", "pressure, hPa", "wind speed, m/s", "rainfall, mm"];

function Channels({ channels }: AlertsProps): JSX.Element {
  return (
    <section aria-labelledby="h-channels">
      <div class="bar">
        <h2 id="h-channels">Channels</h2>
      </div>
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th scope="col">Channel</th>
              <th scope="col">Kind</th>
              <th scope="col">To</th>
              <th scope="col">Quiet hours</th>
              <th scope="col" class="right">
                Action
              </th>
            </tr>
          </thead>
          <tbody>
            {channels.map(({ name, type, target, quiet }) => (
              <tr>
                <th scope="row" safe>
                  {name}
                </th>
                <td>{type}</td>
                <td safe>{target}</td>
                <td safe>{quiet ?? "none"}</td>
                <td class="right">
                  <form method="post" action={`/alerts/channels/${encodeURIComponent(name)}/test`}>
                    <button type="submit" aria-label={attribute(`Send a test to ${name}`)}>
                      Send a test
                    </button>
                  </form>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

const STATES: Record<MessageProps["state"], { icon: IconName; style: string }> = {
  waiting: { icon: "wait", style: "st-wait" },
  sent: { icon: "ok", style: "st-run" },
  failed: { icon: "fail", style: "st-err" },
};

function Messages({ messages, now }: AlertsProps): JSX.Element {
  return (
    <section aria-labelledby="h-messages">
      <div class="bar">
        <h2 id="h-messages">Messages</h2>
      </div>
      {messages.length === 0 ? (
        <Empty what="Nothing was sent yet." why="A test shows whether a channel works." />
      ) : (
        <div class="scroll" tabindex="0">
          <table>
            <thead>
              <tr>
                <th scope="col">Message</th>
                <th scope="col">Channel</th>
                <th scope="col">State</th>
                <th scope="col">Made</th>
              </tr>
            </thead>
            <tbody>
              {messages.map((message) => (
                <tr>
                  <td safe>{message.text}</td>
                  <td safe>{message.channel}</td>
                  <td>
                    <span class={`st ${STATES[message.state].style}`}>
                      <Icon name={STATES[message.state].icon} />
                      {message.state}
                    </span>
                    {message.error === null ? (
                      ""
                    ) : (
                      <small safe>{`${formatCount(message.tries, "try", "tries")}: ${message.error}`}</small>
                    )}
                  </td>
                  <td class="nw">
                    <Age time={message.madeAt} now={now} wall ago />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
