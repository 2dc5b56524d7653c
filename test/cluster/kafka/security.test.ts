import { afterAll, beforeAll, expect, test } from "bun:test";
import { createLogger } from "../../../core/log.ts";
import type { KafkaConnection } from "../../../jobs/log/kafka-client.ts";
import { failure, records } from "../../contract/log-contract.ts";
import { openKafkaLog, type TestKafka, testKafka } from "./server.ts";

const USER = { username: "alice", password: "alice-secret" };

let kafka: TestKafka;
beforeAll(async () => {
  kafka = await testKafka({ secure: USER });
});
afterAll(() => kafka?.end());

type Security = Pick<KafkaConnection, "tls" | "sasl">;

/** Appends a record and reads it again. */
async function roundTrip(broker: string, security: Security): Promise<void> {
  const log = await openKafkaLog(kafka.options({ brokers: [broker], ...security }));
  await log.append(records("a", 0, 1));
  expect((await log.read(0, 0, 10)).map(({ value }) => value)).toEqual(["a 0"]);
  await log.close();
}

/** Everything that is said when it is refused: the error, and the lines of the log. */
async function refused(broker: string, security: Security): Promise<string> {
  const lines: string[] = [];
  const logger = createLogger({ level: "debug", format: "json", write: (line) => lines.push(line) });
  const error = await failure(openKafkaLog(kafka.options({ brokers: [broker], logger, ...security })));
  expect(error.code).toBe("unavailable");
  return [error.message, error.hint, ...lines].join("\n");
}

test("TLS with the authority that signed the broker", async () => {
  const { tls, ca } = kafka.secure!;
  await roundTrip(tls, { tls: { ca } });
});

test("TLS with another authority is refused", async () => {
  const { tls, otherCa } = kafka.secure!;
  expect(await refused(tls, { tls: { ca: otherCa } })).toContain("Check the authority");
});

test("TLS with the system's authorities only is refused", async () => {
  expect(await refused(kafka.secure!.tls, { tls: {} })).toContain("Check the authority");
});

test("TLS with a certificate of ours, where Kafka asks for one", async () => {
  const { mutualTls, ca, cert, key } = kafka.secure!;
  await roundTrip(mutualTls, { tls: { ca, cert, key } });
  await refused(mutualTls, { tls: { ca } });
});

for (const mechanism of ["plain", "scram-sha-256", "scram-sha-512"] as const) {
  test(`SASL ${mechanism}, also over TLS; a wrong password is refused and told nowhere`, async () => {
    const { sasl, saslTls, ca } = kafka.secure!;
    await roundTrip(sasl, { sasl: { mechanism, ...USER } });
    await roundTrip(saslTls, { tls: { ca }, sasl: { mechanism, ...USER } });
    const wrong = { ...USER, password: "not-the-secret-one" };
    const said = await refused(sasl, { sasl: { mechanism, ...wrong } });
    expect(said).toContain("password");
    expect(said).not.toContain(wrong.password);
  });
}

test("a listener with SASL refuses who brings no password", async () => {
  await refused(kafka.secure!.sasl, {});
});
