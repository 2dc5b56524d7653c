import { ALERT, CHANNEL, EXAMPLE_RULE, EXAMPLE_RULE_ID, MESSAGE, RULE, RULE_INPUT } from "./alert-schemas.ts";
import { labelled } from "../../api/columns.ts";
import { EXAMPLE_LABEL, jsonContent } from "../../api/content.ts";
import { endpoint } from "../../api/endpoint.ts";
import { integerParameter } from "../../api/parameter.ts";
import { list, text } from "../../api/schema.ts";

const SHOWN_RULE = { id: EXAMPLE_RULE_ID, origin: "page", active: 0, ...EXAMPLE_RULE } as const;

/** The active alerts. */
export const GET_ALERTS = endpoint({
  method: "GET",
  path: "/api/v1/alerts",
  id: "getAlerts",
  tag: "alerts",
  summary: "Active alerts, the newest first",
  description: "",
  query: {},
  answers: [
    {
      status: 200,
      description: "The alerts that have not recovered",
      content: jsonContent(labelled({ alerts: list(ALERT) })),
      example: {
        ...EXAMPLE_LABEL,
        alerts: [
          {
            id: "3f9a1c07d2be4465",
            rule: { id: EXAMPLE_RULE_ID, name: EXAMPLE_RULE.name },
            city: "London",
            source: "open-meteo",
            since: "2026-01-31T11:15:00Z",
            raised_at: "2026-01-31T11:45:00Z",
          },
        ],
      },
    },
  ],
  errors: [],
  examples: [{ title: "What is active", path: "/api/v1/alerts" }],
});

/** The channels. */
export const GET_ALERT_CHANNELS = endpoint({
  method: "GET",
  path: "/api/v1/alerts/channels",
  id: "getAlertChannels",
  tag: "alerts",
  summary: "Channels that messages are sent to",
  description: "Channels are configured in `ALERTS_FILE` only. Keys and addresses are not shown.",
  query: {},
  answers: [
    {
      status: 200,
      description: "The channels",
      content: jsonContent(labelled({ channels: list(CHANNEL) })),
      example: {
        ...EXAMPLE_LABEL,
        channels: [{ name: "ops", type: "webhook", target: "hooks.example.org", quiet_hours: null }],
      },
    },
  ],
  errors: [],
  examples: [{ title: "Every channel", path: "/api/v1/alerts/channels" }],
});

/** The messages. */
export const GET_ALERT_MESSAGES = endpoint({
  method: "GET",
  path: "/api/v1/alerts/messages",
  id: "getAlertMessages",
  tag: "alerts",
  summary: "Messages, sent and waiting, the newest first",
  description: "Kept for 90 days.",
  query: { limit: integerParameter("Most messages.", { min: 1, max: 1_000, fallback: 100 }) },
  answers: [
    {
      status: 200,
      description: "The messages",
      content: jsonContent(labelled({ messages: list(MESSAGE) })),
      example: {
        ...EXAMPLE_LABEL,
        messages: [
          {
            id: "8c1d55a0e3f74b92",
            channel: "ops",
            type: "alert",
            rule: EXAMPLE_RULE.name,
            city: "London",
            text: "Frost: London, temperature -0.4 °C since 11:15 UTC",
            state: "sent",
            tries: 1,
            made_at: "2026-01-31T11:46:03Z",
            sent_at: "2026-01-31T11:46:04Z",
            next_try_at: null,
            error: null,
          },
        ],
      },
    },
  ],
  errors: [],
  examples: [{ title: "The last messages", path: "/api/v1/alerts/messages?limit=5" }],
});

/** The rules. */
export const GET_ALERT_RULES = endpoint({
  method: "GET",
  path: "/api/v1/alerts/rules",
  id: "getAlertRules",
  tag: "alerts",
  summary: "The rules, those of the file first",
  description: "",
  query: {},
  answers: [
    {
      status: 200,
      description: "The rules",
      content: jsonContent(labelled({ rules: list(RULE) })),
      example: { ...EXAMPLE_LABEL, rules: [SHOWN_RULE] },
    },
  ],
  errors: [],
  examples: [{ title: "Every rule", path: "/api/v1/alerts/rules" }],
});

/** Adds a rule. */
export const POST_ALERT_RULE = endpoint({
  method: "POST",
  path: "/api/v1/alerts/rules",
  id: "makeAlertRule",
  tag: "alerts",
  summary: "Add a rule",
  description:
    "It watches a `variable`, with `above` or `below` and optionally `for_minutes`, or an `anomaly`, optionally with a `severity`. An unknown field is refused. 409 also means that the name is taken, or that there are 500 rules.",
  query: {},
  body: jsonContent(RULE_INPUT),
  answers: [
    {
      status: 201,
      description: "The rule is made",
      content: jsonContent(labelled({ rule: RULE })),
      example: { ...EXAMPLE_LABEL, rule: SHOWN_RULE },
    },
  ],
  errors: ["conflict", "too_large", "unsupported_media_type"],
  examples: [
    {
      title: "Tell of half an hour of frost",
      path: "/api/v1/alerts/rules",
      body: ["application/json", JSON.stringify(EXAMPLE_RULE)],
    },
  ],
});

/** Deletes a rule. */
export const DELETE_ALERT_RULE = endpoint({
  method: "DELETE",
  path: "/api/v1/alerts/rules/:id",
  id: "deleteAlertRule",
  tag: "alerts",
  summary: "Delete a rule, and close its alerts",
  description: "409 for a rule of the file.",
  segments: { id: ["Id of a rule", EXAMPLE_RULE_ID] },
  query: {},
  answers: [
    {
      status: 200,
      description: "The rule is gone",
      content: jsonContent(labelled({ deleted: text("Id of the rule") })),
      example: { ...EXAMPLE_LABEL, deleted: EXAMPLE_RULE_ID },
    },
  ],
  errors: ["conflict", "not_found"],
  examples: [{ title: "Delete a rule", path: "/api/v1/alerts/rules/{rule}" }],
});

/** Tests a channel. */
export const POST_ALERT_TEST = endpoint({
  method: "POST",
  path: "/api/v1/alerts/channels/:name/test",
  id: "testAlertChannel",
  tag: "alerts",
  summary: "Send a test message",
  description: "It is not retried and ignores quiet hours. The list of messages shows whether it arrived.",
  segments: { name: ["Name of a channel", "ops"] },
  query: {},
  answers: [
    {
      status: 202,
      description: "The message is on its way",
      content: jsonContent(labelled({ message: text("Id of the message") })),
      example: { ...EXAMPLE_LABEL, message: "8c1d55a0e3f74b92" },
    },
  ],
  errors: ["conflict", "not_found"],
  examples: [{ title: "Test a channel", path: "/api/v1/alerts/channels/ops/test" }],
});
