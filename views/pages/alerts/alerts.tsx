import { parseTimestamp } from "../../../core/time.ts";
import type { KeptMessage } from "../../../core/alert-message.ts";
import { attribute } from "../../attribute.ts";
import { formatCount } from "../../format.ts";
import { Age } from "../../parts/age.tsx";
import { Icon, type IconName } from "../../parts/icons.tsx";
import { Empty } from "../../parts/notes.tsx";
import { RuleForm } from "./rule-form.tsx";
import type { AlertsProps } from "./alerts-props.ts";

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
          <RuleForm {...props} />
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

function Rules({ rules, tooEarly }: AlertsProps): JSX.Element {
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
      {tooEarly === null ? (
        ""
      ) : (
        <p class="u from" safe>
          {`No rule about what is unusual can be met where it is too early to judge. ${tooEarly}`}
        </p>
      )}
    </section>
  );
}

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

const STATES: Record<KeptMessage["state"], { icon: IconName; style: string }> = {
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
                    <Age time={parseTimestamp(message.made_at)} now={now} wall ago />
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
