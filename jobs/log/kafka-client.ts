import type { Socket } from "node:net";
import type { ConnectionOptions } from "node:tls";
import {
  Kafka,
  logLevel,
  type ISocketFactoryArgs,
  type KafkaConfig,
  type LogEntry,
  type SASLOptions,
} from "kafkajs";
import createSocketFactory from "kafkajs/src/network/socketFactory.js";
import RequestQueue from "kafkajs/src/network/requestQueue/index.js";
import { LogError, codeOf } from "../../core/errors.ts";
import type { LogFields, Logger } from "../../core/log.ts";

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
    socketFactory,
    logLevel: logLevel.INFO,
    logCreator: () => logTo(logger),
    ...(tls === undefined ? {} : { ssl: { ...tls } satisfies ConnectionOptions }),
    ...(sasl === undefined ? {} : { sasl: sasl as SASLOptions }),
  } satisfies KafkaConfig;
}

const createSocket = createSocketFactory();

/** kafkajs ends a socket that never connected again and again during an outage; each time adds a listener to it. */
function socketFactory(options: ISocketFactoryArgs): Socket {
  const socket = createSocket(options);
  socket.setMaxListeners(0);
  return socket;
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
  mendRequestQueue();
  return new Kafka({ ...clientOptions(connection, logger), ...changed });
}

/** What failed in kafkajs, as the log port says it. */
export function asLogError(error: unknown, action: string): LogError {
  if (error instanceof LogError) return error;
  const causes: unknown[] = [];
  for (let at: unknown = error; at instanceof Error && causes.length < 5; at = at.cause) causes.push(at);
  const root = causes.at(-1) ?? error;
  const type = causes.map(typeOf).find((found) => found !== "") ?? "";
  const text = causes.map((cause) => `${(cause as Error).name} ${(cause as Error).message}`).join(" ");
  const make = (code: LogError["code"], hint: string) =>
    new LogError(code, `${action}: ${root instanceof Error ? root.message : String(root)}`, {
      cause: error,
      hint,
    });
  if (type === "MESSAGE_TOO_LARGE" || type === "RECORD_LIST_TOO_LARGE")
    return make("too_large", "Raise max.message.bytes of the topic.");
  if (type === "OFFSET_OUT_OF_RANGE") return make("out_of_range", "The log no longer holds that offset.");
  if (type.endsWith("AUTHORIZATION_FAILED"))
    return make("unavailable", "The user lacks a right on the topic, the group or the cluster.");
  if (/SASL/.test(text))
    return make("unavailable", "The user name, the password or the SASL mechanism is wrong.");
  if (/certificate|TLS|SSL|UNABLE_TO/i.test(`${text} ${codeOf(root) ?? ""}`))
    return make(
      "unavailable",
      "Check the authority (CA), the client certificate, and the host name it is for.",
    );
  return make("unavailable", NOBODY);
}

/** What to look at when nobody answered. */
const NOBODY = "Is Kafka running, and are its addresses right?";

/** Whether an error of {@link asLogError} says that nobody answered, or not yet: not a refusal, nor a wrong certificate. */
export function isAway(error: unknown): boolean {
  return error instanceof LogError && error.code === "unavailable" && error.hint === NOBODY;
}

/** Whether an error is Kafka's refusal of this client: it does not go away by trying again. */
export function isRefused(error: unknown): boolean {
  for (let at: unknown = error; at instanceof Error; at = at.cause)
    if (at.name === "KafkaJSSASLAuthenticationError" || typeOf(at).endsWith("AUTHORIZATION_FAILED"))
      return true;
  return false;
}

/** Kafka's own name of an error: `NOT_LEADER_FOR_PARTITION`; empty for any other. */
export function typeOf(error: unknown): string {
  return error instanceof Error && "type" in error && typeof error.type === "string" ? error.type : "";
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

let mended = false;

/**
 * kafkajs keeps a timer of a negative delay running on every connection (issue #1751): a thousand turns a second, and a
 * warning each. A timer is needed only while something waits.
 */
function mendRequestQueue(): void {
  if (mended) return;
  mended = true;
  RequestQueue.prototype.scheduleCheckPendingRequests = function () {
    if (this.throttleCheckTimeoutId !== null || this.pending.length === 0) return;
    this.throttleCheckTimeoutId = setTimeout(
      () => {
        this.throttleCheckTimeoutId = null;
        this.checkPendingRequests();
      },
      Math.max(10, this.throttledUntil - Date.now()),
    );
  };
}
