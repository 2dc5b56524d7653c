import { expect, test } from "bun:test";
import { codeOf } from "../../../core/errors.ts";
import { createLogger } from "../../../core/log.ts";
import { asLogError, isAway } from "../../../jobs/log/kafka-client.ts";
import { LateLog } from "../../../jobs/log/late-log.ts";
import { loadConfig } from "../../../server/config/config.ts";
import { openLog } from "../../../server/wiring/ports.ts";
import { FakeClock } from "../../support/fake-clock.ts";

/** A port nobody listens on: privileged, and no service of today. */
const NOWHERE = "127.0.0.1:1";

test("openLog() takes a Kafka that is away where it may be late, and refuses it elsewhere", async () => {
  const { config } = loadConfig({ KAFKA_BROKERS: NOWHERE, KAFKA_PARTITIONS: "3" }, { isTerminal: false });
  const warnings: string[] = [];
  const logger = createLogger({ level: "warn", format: "json", write: (line) => warnings.push(line) });
  const deps = { clock: new FakeClock(), logger };
  expect(await openLog(config, "mine", deps).catch(codeOf)).toBe("unavailable");
  expect(warnings.join("\n")).not.toContain("Kafka is away");
  const { log, embeddedLog } = await openLog(config, "mine", deps, { late: true });
  expect(log).toBeInstanceOf(LateLog);
  expect([log.kind, log.topic, log.partitions, embeddedLog]).toEqual(["kafka", "weather.mine", 3, null]);
  expect(warnings.join("\n")).toContain("Kafka is away");
  expect(await log.bounds(0).catch(codeOf)).toBe("unavailable");
  await log.close();
});

test("isAway() tells who may come by and by from who refuses", () => {
  const error = (name: string, message: string, more: object = {}) =>
    Object.assign(new Error(message), { name, ...more });
  const away = (cause: Error) => isAway(asLogError(cause, "Cannot open"));
  expect(away(error("KafkaJSConnectionError", "Connection error: connect ECONNREFUSED"))).toBe(true);
  expect(away(error("KafkaJSConnectionError", "Connection timeout"))).toBe(true);
  expect(away(error("KafkaJSProtocolError", "no leader", { type: "LEADER_NOT_AVAILABLE" }))).toBe(true);
  expect(away(error("KafkaJSSASLAuthenticationError", "SASL PLAIN authentication failed"))).toBe(false);
  expect(away(error("KafkaJSConnectionError", "unable to verify the first certificate"))).toBe(false);
  expect(away(error("KafkaJSProtocolError", "no", { type: "TOPIC_AUTHORIZATION_FAILED" }))).toBe(false);
  expect(isAway(new Error("Is Kafka running, and are its addresses right?"))).toBe(false);
});
