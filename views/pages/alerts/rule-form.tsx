import { ANOMALY_KINDS } from "../../../core/alert-rule.ts";
import { unitBeside, VARIABLE_NAMES, VARIABLES } from "../../../core/variables.ts";
import { attribute } from "../../attribute.ts";
import type { AlertsProps, RuleEntry } from "./alerts-props.ts";
import { Failed } from "../../parts/notes.tsx";

/** Names of the variables with their units: `wind speed, m/s`. */
const CHOICES = VARIABLE_NAMES.map((name) =>
  [name.replaceAll("_", " "), unitBeside(VARIABLES[name].unit)].filter((word) => word !== "").join(", "),
);

/** The form that makes a rule. What was typed into one that was refused is still there. */
export function RuleForm({
  cities,
  channels,
  error,
  entry,
}: Pick<AlertsProps, "cities" | "channels" | "error" | "entry">): JSX.Element {
  return (
    <section aria-labelledby="h-make" id="make">
      <div class="bar">
        <h2 id="h-make">Make a rule</h2>
      </div>
      {error === null ? "" : <Failed what={error} todo="Change it and send it again." />}
      <form method="post" action="/alerts/rules#make" class="form">
        <p>
          <label for="f-name">Name</label>
          <input id="f-name" name="name" required maxlength="100" value={typed(entry, "name")} />
        </p>
        <p>
          <label for="f-city">City, empty for every city</label>
          <input id="f-city" name="city" list="f-cities" maxlength="200" value={typed(entry, "city")} />
          <datalist id="f-cities">
            {cities.map((city) => (
              <option value={attribute(city)}></option>
            ))}
          </datalist>
        </p>
        <LimitFields entry={entry} />
        <AnomalyFields entry={entry} />
        <ChannelFields channels={channels} entry={entry} />
        <p>
          <button type="submit">Make the rule</button>
        </p>
      </form>
    </section>
  );
}

/** A rule of a variable that passes a limit. */
function LimitFields({ entry }: Pick<AlertsProps, "entry">): JSX.Element {
  return (
    <fieldset>
      <legend>
        <input type="radio" id="f-limit-of" name="watch" value="threshold" checked={!isOfAnomaly(entry)} />
        <label for="f-limit-of">A value passes a limit</label>
      </legend>
      <p>
        <label for="f-variable">Variable</label>
        <select id="f-variable" name="variable">
          {options(entry, "variable", VARIABLE_NAMES, CHOICES)}
        </select>
      </p>
      <p>
        <label for="f-side">Is</label>
        <select id="f-side" name="side">
          {options(entry, "side", ["above", "below"])}
        </select>
      </p>
      <p>
        <label for="f-limit">Limit</label>
        <input id="f-limit" name="limit" inputmode="decimal" value={typed(entry, "limit")} />
      </p>
      <p>
        <label for="f-minutes">For at least, minutes</label>
        <input id="f-minutes" name="for_minutes" inputmode="numeric" value={typed(entry, "for_minutes")} />
      </p>
    </fieldset>
  );
}

/** A rule of a kind of anomaly. */
function AnomalyFields({ entry }: Pick<AlertsProps, "entry">): JSX.Element {
  return (
    <fieldset>
      <legend>
        <input type="radio" id="f-kind-of" name="watch" value="anomaly" checked={isOfAnomaly(entry)} />
        <label for="f-kind-of">Something is unusual</label>
      </legend>
      <p>
        <label for="f-kind">Kind</label>
        <select id="f-kind" name="anomaly">
          {options(entry, "anomaly", ANOMALY_KINDS)}
        </select>
      </p>
      <p>
        <label for="f-severity">Severity</label>
        <select id="f-severity" name="severity">
          {options(
            entry,
            "severity",
            ["2", "3", "1"],
            ["2 or more: an alert", "3: severe", "1 or more: shown"],
          )}
        </select>
      </p>
    </fieldset>
  );
}

/** Whom it tells; without a choice the first channel. */
function ChannelFields({ channels, entry }: Pick<AlertsProps, "channels" | "entry">): JSX.Element {
  return (
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
  );
}

function isOfAnomaly(entry: RuleEntry): boolean {
  return entry.values?.watch === "anomaly";
}

function typed(entry: RuleEntry, name: string): string {
  return attribute(entry.values?.[name] ?? "");
}

function options(
  entry: RuleEntry,
  name: string,
  values: readonly string[],
  names: readonly string[] = values,
): JSX.Element {
  return (
    <>
      {values.map((value, i) => (
        <option value={attribute(value)} selected={entry.values?.[name] === value} safe>
          {names[i] ?? value}
        </option>
      ))}
    </>
  );
}
