import { expect, test } from "bun:test";
import { codeOf } from "../../../core/errors.ts";
import { createLogger } from "../../../core/log.ts";
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
