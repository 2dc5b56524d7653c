import type { ConnectionOptions } from "node:tls";
import { Kafka, logLevel, type KafkaConfig, type LogEntry, type SASLOptions } from "kafkajs";
import type { LogFields, Logger } from "../../core/log.ts";
import { createSocket } from "./kafka-internals.ts";

/** How a Kafka is reached. */
export interface KafkaConnection {
  /** `host:port` of some of its brokers. */
  brokers: readonly string[];
  /** What this program calls itself there. */
  clientId: string;
  /** TLS. `ca`: the authority of the brokers, PEM, where the system does not know it; `cert` and `key`: ours, PEM. */
  tls?: { ca?: string; cert?: string; key?: string };
  sasl?: { mechanism: "plain" | "scram-sha-256" | "scram-sha-512"; username: string; password: string };
}

/** Tries of a connection before the caller is told. */
const RETRY = { retries: 3, initialRetryTime: 100, maxRetryTime: 1_000, factor: 0.2, multiplier: 2 };

/** The options of every client of one log. */
export function clientOptions(connection: KafkaConnection, logger: Logger) {
  const { brokers, clientId, tls, sasl } = connection;
  return {
    brokers: [...brokers],
    clientId,
    connectionTimeout: 3_000,
    requestTimeout: 30_000,
    retry: { ...RETRY, retries: Math.max(RETRY.retries, brokers.length) },
    socketFactory: createSocket,
    logLevel: logLevel.INFO,
    logCreator: () => logTo(logger),
    ...(tls === undefined ? {} : { ssl: { ...tls } satisfies ConnectionOptions }),
    ...(sasl === undefined ? {} : { sasl: sasl as SASLOptions }),
  } satisfies KafkaConfig;
}

/**
 * A client of a Kafka. It connects to nothing yet.
 *
 * @param changed what is not as in {@link clientOptions}
 */
export function createClient(
  connection: KafkaConnection,
  logger: Logger,
  changed: Partial<KafkaConfig> = {},
): Kafka {
  return new Kafka({ ...clientOptions(connection, logger), ...changed });
}

/** The same line again within this time is left out, ms: an outage would fill the log. */
const QUIET_MS = 30_000;

/** Passes kafkajs's lines on. What it calls an error is most often a try of several. */
function logTo(logger: Logger): (entry: LogEntry) => void {
  const last = new Map<string, number>();
  return ({ namespace, level, log }) => {
    // A try is limited in time here; what is sent again after it is a duplicate at worst, which the lake leaves out.
    if (log.message.startsWith("Limiting retries for the idempotent producer")) return;
    const line = `${namespace} ${log.message}`;
    const now = Date.now();
    if (now - (last.get(line) ?? -Infinity) < QUIET_MS) return;
    if (last.size > 500) last.clear();
    last.set(line, now);
    const fields: LogFields = { from: namespace };
    for (const name of ["broker", "groupId", "topic", "partition", "error"]) {
      const value: unknown = log[name];
      if (typeof value === "string" || typeof value === "number") fields[name] = value;
    }
    const write = level === logLevel.INFO ? logger.debug : logger.warn;
    write(`kafkajs: ${log.message}`, fields);
  };
}
