import { createServer, type AddressInfo, type Server } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { describe, expect, test } from "bun:test";
import { LogError } from "../../../core/errors.ts";
import { silentLogger } from "../../../core/log.ts";
import { createClient, type KafkaConnection } from "../../../jobs/log/kafka-client.ts";
import { isKafkaAway, isKafkaRefusal, kafkaErrorType, kafkaLogError } from "../../../jobs/log/kafka-error.ts";
import { createErrorFromCode } from "../../../jobs/log/kafka-internals.ts";
import { CERTIFICATE, PRIVATE_KEY } from "../alerts/certificate.ts";

const CHECK_TLS = "Check the authority";

/** The code of Kafka's protocol for OFFSET_OUT_OF_RANGE. */
const OUT_OF_RANGE = 1;

const error = (name: string, message: string, more: object = {}) =>
  Object.assign(new Error(message), { name, ...more });

/** What kafkajs says of a server that is no Kafka. */
async function failureAt(server: Server, tls?: KafkaConnection["tls"]): Promise<LogError> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const brokers = [`localhost:${(server.address() as AddressInfo).port}`];
  const connection = { brokers, clientId: "test", ...(tls === undefined ? {} : { tls }) };
  const admin = createClient(connection, silentLogger, { retry: { retries: 0 } }).admin();
  try {
    const failed = await admin.connect().then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(failed).toBeInstanceOf(Error);
    return kafkaLogError(failed, "Cannot open");
  } finally {
    await admin.disconnect();
    server.close();
  }
}

const tlsServer = () =>
  createTlsServer({ cert: CERTIFICATE, key: PRIVATE_KEY }, (socket) => socket.on("error", () => {}));
/** Hangs up at the first word. */
const deafServer = () =>
  createServer((socket) => socket.on("error", () => {}).on("data", () => socket.end()));

describe("kafkaLogError()", () => {
  test("keeps a LogError as it is", () => {
    const own = new LogError("mismatch", "another topic");
    expect(kafkaLogError(own, "Cannot open")).toBe(own);
  });

  test("names the action and the last cause, and has the code that Kafka's type means", () => {
    const of = (type: string) => {
      const cause = error("KafkaJSProtocolError", "no", { type });
      const { code, message } = kafkaLogError(new Error("wrapped", { cause }), "Cannot append");
      return `${code}: ${message}`;
    };
    expect(of("MESSAGE_TOO_LARGE")).toBe("too_large: Cannot append: no");
    expect(of("RECORD_LIST_TOO_LARGE")).toBe("too_large: Cannot append: no");
    expect(of("OFFSET_OUT_OF_RANGE")).toBe("out_of_range: Cannot append: no");
    expect(of("GROUP_AUTHORIZATION_FAILED")).toBe("unavailable: Cannot append: no");
    expect(of("NOT_LEADER_FOR_PARTITION")).toBe("unavailable: Cannot append: no");
  });

  test("says of a certificate that nobody vouches for, or of another host, what to check", async () => {
    for (const tls of [{}, { ca: CERTIFICATE }]) {
      const failed = await failureAt(tlsServer(), tls);
      expect(failed.hint).toStartWith(CHECK_TLS);
      expect(isKafkaAway(failed)).toBe(false);
    }
  });

  test("tells a server that speaks no TLS from one that hangs up", async () => {
    expect((await failureAt(deafServer(), {})).hint).toStartWith(CHECK_TLS);
    expect(isKafkaAway(await failureAt(deafServer()))).toBe(true);
  });
});

test("isKafkaAway() tells who may come by and by from who refuses", () => {
  const away = (cause: Error) => isKafkaAway(kafkaLogError(cause, "Cannot open"));
  expect(away(error("KafkaJSConnectionError", "Connection error: connect ECONNREFUSED"))).toBe(true);
  expect(away(error("KafkaJSConnectionError", "Connection timeout"))).toBe(true);
  expect(away(error("KafkaJSProtocolError", "no leader", { type: "LEADER_NOT_AVAILABLE" }))).toBe(true);
  expect(away(error("KafkaJSSASLAuthenticationError", "SASL PLAIN authentication failed"))).toBe(false);
  expect(away(error("KafkaJSProtocolError", "no", { type: "SASL_AUTHENTICATION_FAILED" }))).toBe(false);
  expect(away(error("KafkaJSConnectionError", "unable to verify the first certificate"))).toBe(false);
  expect(away(error("KafkaJSProtocolError", "no", { type: "TOPIC_AUTHORIZATION_FAILED" }))).toBe(false);
  expect(isKafkaAway(new Error("Is Kafka running, and are its addresses right?"))).toBe(false);
  const hint = "Is Kafka running, and are its addresses right?";
  expect(isKafkaAway(new LogError("unavailable", "Too much waits for Kafka", { hint }))).toBe(false);
});

test("isKafkaRefusal() finds a refusal behind kafkajs's own errors", () => {
  const behind = (cause: Error) => isKafkaRefusal(new Error("retried", { cause: new Error("x", { cause }) }));
  expect(behind(error("KafkaJSSASLAuthenticationError", "no"))).toBe(true);
  expect(behind(error("KafkaJSProtocolError", "no", { type: "CLUSTER_AUTHORIZATION_FAILED" }))).toBe(true);
  expect(behind(error("KafkaJSProtocolError", "no", { type: "NOT_LEADER_FOR_PARTITION" }))).toBe(false);
});

test("kafkaErrorType() is Kafka's own name of an error, or empty", () => {
  expect(kafkaErrorType(createErrorFromCode(OUT_OF_RANGE))).toBe("OFFSET_OUT_OF_RANGE");
  expect(kafkaErrorType(new Error("OFFSET_OUT_OF_RANGE"))).toBe("");
  expect(kafkaErrorType("OFFSET_OUT_OF_RANGE")).toBe("");
});
