import { ANOMALY_KINDS } from "../../../core/alert-rule.ts";
import type { KeptMessage } from "../../../core/alert-message.ts";
import { VARIABLE_NAMES, VARIABLES } from "../../../core/variables.ts";
import {
  integer,
  list,
  nullable,
  number,
  object,
  oneOf,
  text,
  time,
  type JsonSchema,
  type SchemasOf,
} from "../../api/schema.ts";

const CHANNELS: JsonSchema = { ...list(text("Name of a channel"), "Whom it tells"), minItems: 1 };
const NAME: JsonSchema = { ...text("Its name; no two rules share one"), minLength: 1, maxLength: 100 };
/** Units a limit may be in, for people. */
const UNITS = [...new Set(VARIABLE_NAMES.map((name) => `\`${VARIABLES[name].unit}\``))].join(", ");
const CONDITION = {
  variable: oneOf(VARIABLE_NAMES, "The variable it watches, where it watches no anomaly"),
  above: number(`Limit of the variable, in its own unit: ${UNITS}`),
  below: number("The same, from the other side: a rule has one of the two"),
  for_minutes: {
    ...number("How long it must have been so, by the times observed", "min"),
    minimum: 0,
    maximum: 1_440,
  },
  anomaly: oneOf(ANOMALY_KINDS, "The kind of anomaly it watches, where it watches no variable"),
  severity: {
    type: "integer",
    enum: [1, 2, 3],
    description: "The least severity of the anomaly: 1 shown, 2 an alert (the default), 3 severe",
  },
} as const satisfies Record<string, JsonSchema>;
const CITY = text("Name of the city it is about; null for every city");

/** A rule in a request. */
export const RULE_INPUT = object(
  {
    name: NAME,
    city: nullable(text("Slug or name of a city; left out or null for every city")),
    ...CONDITION,
    channels: CHANNELS,
  },
  { optional: ["city", ...Object.keys(CONDITION)] },
);

/** A rule in an answer. */
export const RULE = object(
  {
    id: text("Its id"),
    origin: oneOf(["file", "page"], "Where it was made: in ALERTS_FILE, or in the page or the API"),
    active: integer("How many of its alerts are active"),
    name: NAME,
    city: nullable(CITY),
    ...CONDITION,
    channels: CHANNELS,
  },
  { optional: Object.keys(CONDITION) },
);

/** An active alert. */
export const ALERT = object({
  id: text("Its id: `alert_id` of its messages"),
  rule: object({ id: text("Id of its rule"), name: text("Name of its rule") }),
  city: text("Name of the city"),
  source: text("Who reported it first"),
  since: time("Since when the condition is met"),
  raised_at: time("When the report that raised it was observed"),
});

/** A channel that messages are sent to. */
export const CHANNEL = object({
  name: text("Its name"),
  type: oneOf(["webhook", "sms", "email"], "How it is told"),
  target: text("Host or domain it leads to, without what may be a key"),
  quiet_hours: nullable(text("When nothing is sent: begin, end and time zone")),
});

/** A message, sent or waiting. */
export const MESSAGE = object({
  id: text("Its id, the same in each attempt"),
  channel: text("Name of the channel"),
  type: oneOf(["alert", "recovery", "test"], "What it tells of"),
  rule: nullable(text("Name of the rule; null of a test")),
  city: nullable(text("Name of the city; null of a test")),
  text: text("What it says, in one line"),
  state: oneOf(["waiting", "sent", "failed"], "Where it stands; `failed` is given up"),
  tries: integer("How often it was tried"),
  made_at: time("When it was made"),
  sent_at: nullable(time("When it was taken by the channel")),
  next_try_at: nullable(time("When it is tried next, quiet hours aside")),
  error: nullable(text("Why it could not be delivered the last time")),
} satisfies SchemasOf<KeptMessage>);

/** The rule of the examples. */
export const EXAMPLE_RULE = {
  name: "Frost",
  city: "London",
  variable: "temperature",
  below: 0,
  for_minutes: 30,
  channels: ["ops"],
} as const;

/** Ids of the examples. */
export const EXAMPLE_RULE_ID = "5b7e01f2c9d84a36";
