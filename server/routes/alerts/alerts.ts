import { Elysia } from "elysia";
import { ruleJson } from "../../../core/alert-rule.ts";
import type { Place } from "../../../core/city.ts";
import type { Clock } from "../../../core/clock.ts";
import { RequestError } from "../../../core/errors.ts";
import { describe } from "../../../core/observation.ts";
import { formatTimestamp } from "../../../core/time.ts";
import type { AlertsService, RuleState } from "../../../jobs/alerts/alerts.ts";
import { quietText, targetOf } from "../../../core/alert-channel.ts";
import { answerJson } from "../../http/answer.ts";
import { findCity } from "../../http/parameters.ts";
import {
  DELETE_ALERT_RULE,
  GET_ALERT_CHANNELS,
  GET_ALERT_MESSAGES,
  GET_ALERT_RULES,
  GET_ALERTS,
  POST_ALERT_RULE,
  POST_ALERT_TEST,
} from "./alert-endpoints.ts";
import { readQuery } from "../../api/endpoint.ts";
import { readText } from "../../http/body.ts";
import type { Services } from "../../answers/services.ts";

/** Longest body of a rule, bytes. */
const RULE_MAX = 16_384;

/** Options of {@link alertRoutes}. Without alerts the lists are empty. */
export interface AlertRoutesOptions {
  services: Services;
  alerts: AlertsService | null;
  clock: Clock;
}

/** The API of alerts: lists channels, rules with their state, active alerts and messages; adds and deletes rules, tests channels. */
export function alertRoutes(options: AlertRoutesOptions) {
  const { services, alerts } = options;
  const parse = { parse: "none" } as const;
  return new Elysia({ name: "alerts" })
    .get(GET_ALERTS.path, ({ request }) => {
      readQuery(GET_ALERTS, request, services);
      const active = (alerts?.active() ?? []).map(({ alert, rule }) => ({
        id: alert.id,
        rule: { id: rule.id, name: rule.name },
        city: alert.city,
        source: alert.source,
        since: formatTimestamp(alert.since),
        raised_at: formatTimestamp(alert.at),
      }));
      return answerJson(options, request, { alerts: active });
    })
    .get(GET_ALERT_CHANNELS.path, ({ request }) => {
      readQuery(GET_ALERT_CHANNELS, request, services);
      const channels = (alerts?.channels ?? []).map((channel) => ({
        name: channel.name,
        type: channel.type,
        target: targetOf(channel),
        quiet_hours: quietText(channel),
      }));
      return answerJson(options, request, { channels });
    })
    .get(GET_ALERT_MESSAGES.path, ({ request }) => {
      const { limit } = readQuery(GET_ALERT_MESSAGES, request, services);
      return answerJson(options, request, { messages: alerts?.messages(limit) ?? [] });
    })
    .get(GET_ALERT_RULES.path, ({ request }) => {
      readQuery(GET_ALERT_RULES, request, services);
      return answerJson(options, request, { rules: (alerts?.rules() ?? []).map(shown) });
    })
    .post(
      POST_ALERT_RULE.path,
      async ({ request }) => {
        readQuery(POST_ALERT_RULE, request, services);
        const input = withCity(await readJson(request), services.cities());
        const rule = opened(alerts).addRule(input);
        return answerJson(options, request, { rule: shown({ rule, active: 0 }) }, { status: 201 });
      },
      parse,
    )
    .delete(
      DELETE_ALERT_RULE.path,
      ({ request, params }) => {
        readQuery(DELETE_ALERT_RULE, request, services);
        opened(alerts).removeRule(params.id);
        return answerJson(options, request, { deleted: params.id });
      },
      parse,
    )
    .post(
      POST_ALERT_TEST.path,
      ({ request, params }) => {
        readQuery(POST_ALERT_TEST, request, services);
        const message = opened(alerts).test(params.name);
        return answerJson(options, request, { message }, { status: 202 });
      },
      parse,
    );
}

/**
 * The alerts, if they are configured.
 *
 * @throws RequestError `conflict`
 */
export function opened(alerts: AlertsService | null): AlertsService {
  if (alerts !== null) return alerts;
  throw new RequestError("conflict", "There are no alerts here: ALERTS_FILE is not set", {
    hint: "docs/alerts.md says what to write into it.",
  });
}

/**
 * Replaces the city of a rule's input by its name. The input names it as {@link findCity} finds it.
 *
 * @throws RequestError `bad_parameter` when there is no such city
 */
export function withCity(input: unknown, cities: readonly Place[]): unknown {
  if (typeof input !== "object" || input === null || !("city" in input)) return input;
  const { city } = input;
  if (typeof city !== "string") return input;
  const found = findCity(cities, city.trim());
  if (found === undefined) {
    throw new RequestError(
      "bad_parameter",
      `Cannot make the rule: city is ${describe(city)}, wanted the name or slug of a city, or null`,
      { hint: "/api/v1/cities lists them." },
    );
  }
  return { ...input, city: found.name };
}

function shown({ rule, active }: RuleState) {
  return { id: rule.id, origin: rule.origin, active, ...ruleJson(rule) };
}

async function readJson(request: Request): Promise<unknown> {
  const type = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json") {
    throw new RequestError(
      "unsupported_media_type",
      `The content type is ${describe(type)}, wanted application/json`,
    );
  }
  const text = await readText(request, RULE_MAX);
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new RequestError("bad_parameter", "The body is not JSON, wanted a rule", { cause });
  }
}
