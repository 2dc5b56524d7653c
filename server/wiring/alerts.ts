import { join, resolve } from "node:path";
import { knownName } from "../../core/city-name.ts";
import type { Clock } from "../../core/clock.ts";
import type { Logger } from "../../core/log.ts";
import { newId } from "../../core/random.ts";
import type { RegisteredStation } from "../../core/station.ts";
import { Alerts } from "../../jobs/alerts/alerts.ts";
import { deliverer } from "../../jobs/alerts/channels.ts";
import { AlertStore } from "../../jobs/alerts/store.ts";
import { lockRole } from "../../jobs/role-lock.ts";
import type { Config } from "../config/config.ts";
import type { About } from "../../core/about.ts";
import type { CurrentObservation } from "../answers/services.ts";

/** The alerts of a program. */
export type OpenAlerts = Alerts & {
  /** Releases what is held. */
  close(): void;
};

/**
 * Opens the alerts of a data set: `alerts/<dataset>.sqlite` in the data folder. Null where there is no `ALERTS_FILE`, and so
 * nobody to tell.
 *
 * @throws ConfigError `bad_setting` when a newer program wrote what is kept
 */
export function openAlerts(
  config: Config,
  deps: {
    about: About;
    stations: readonly RegisteredStation[];
    current: () => readonly CurrentObservation[];
    clock: Clock;
    logger: Logger;
  },
): OpenAlerts | null {
  const { alertsFile, smtpUrl, smtpFrom, alertWebhookHosts, dataDir } = config;
  if (alertsFile === null) return null;
  const spelled = (city: string | null) => (city === null ? null : knownName(city, config.cities));
  const file = {
    ...alertsFile,
    rules: alertsFile.rules.map((rule) => ({ ...rule, city: spelled(rule.city) })),
  };
  const { about, stations, current, clock, logger } = deps;
  const { dataset, kind, staleAfterSeconds } = about;
  const known = new Set([...config.cities.map(({ name }) => name), ...stations.map(({ city }) => city)]);
  for (const { name, city } of file.rules) {
    if (city === null || known.has(city)) continue;
    logger.warn("A rule of ALERTS_FILE names a city that is not configured", { rule: name, city });
  }
  const folder = resolve(dataDir);
  const store = new AlertStore(join(folder, "alerts", `${dataset}.sqlite`));
  const alerts = new Alerts({
    file,
    store,
    deliver: deliverer({
      smtp: smtpUrl === null || smtpFrom === null ? null : { url: smtpUrl, from: smtpFrom },
      webhookHosts: alertWebhookHosts,
    }),
    label: { dataset, kind },
    staleAfterSeconds,
    current,
    lock: () => lockRole(folder, dataset, "alerts"),
    clock,
    logger,
    newId,
  });
  return Object.assign(alerts, { close: () => store.close() });
}
