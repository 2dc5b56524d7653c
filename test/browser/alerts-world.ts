import { parseAlertsFile } from "../../core/alert-rule.ts";
import { formatTimestamp, HOUR_MS } from "../../core/time.ts";
import type { AlertsService } from "../../jobs/alerts/alerts.ts";

/** Alerts of every kind to look at: rules of both kinds, one alert that is active, messages in each state. */
export function alertsToShow(now: number): AlertsService {
  const { channels, rules } = parseAlertsFile({
    channels: [
      { name: "ops", type: "webhook", url: "https://hooks.example.org/" },
      {
        name: "mail",
        type: "email",
        to: ["someone@example.org"],
        quiet_hours: { from: "22:00", to: "07:00", zone: "Europe/London" },
      },
    ],
    rules: [
      { name: "Frost", city: "London", variable: "temperature", below: 0, channels: ["ops"] },
      { name: "Something odd", anomaly: "unusual", severity: 2, channels: ["mail"] },
    ],
  });
  const made = { ...rules[0]!, id: "made", name: "Heat", origin: "page" as const };
  const all = [...rules, made];
  const since = now - HOUR_MS;
  const alert = { id: "a", rule: rules[0]!.id, city: "London", source: "simulator", since, at: since };
  const message = (state: "waiting" | "sent" | "failed") => ({
    id: state,
    channel: "ops",
    type: "alert" as const,
    rule: "Frost",
    city: "London",
    text: "Frost: London, temperature -0.4 °C",
    state,
    tries: 1,
    made_at: formatTimestamp(since),
    sent_at: state === "sent" ? formatTimestamp(since) : null,
    next_try_at: state === "waiting" ? formatTimestamp(now) : null,
    error: state === "sent" ? null : "The answer is 503, wanted 2xx",
  });
  const refuse = () => {
    throw new Error("These alerts are to be looked at only");
  };
  return {
    channels,
    rules: () => all.map((rule, index) => ({ rule, active: index === 0 ? 1 : 0 })),
    active: () => [{ alert, rule: rules[0]! }],
    messages: () => [message("waiting"), message("sent"), message("failed")],
    addRule: refuse,
    removeRule: refuse,
    test: refuse,
  };
}
