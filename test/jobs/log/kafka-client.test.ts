import { expect, test } from "bun:test";
import { Kafka, Partitioners } from "kafkajs";
import { createLogger } from "../../../core/log.ts";
import { createClient } from "../../../jobs/log/kafka-client.ts";

const LIMITED = {
  idempotent: true,
  retry: { retries: 5 },
  createPartitioner: Partitioners.DefaultPartitioner,
};

/** Lines that a client writes into our log. */
function clientLog() {
  const lines: string[] = [];
  const logger = createLogger({ level: "debug", format: "json", write: (line) => void lines.push(line) });
  return { kafka: createClient({ brokers: ["127.0.0.1:1"], clientId: "test" }, logger), lines };
}

test("createClient() passes kafkajs's lines on, the same one only once in a while", () => {
  const { kafka, lines } = clientLog();
  const logger = kafka.logger().namespace("Test");
  for (let i = 0; i < 3; i++) logger.error("no answer", { broker: "a:1", secret: "x" });
  logger.info("connected");
  expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
    { level: "warn", message: "kafkajs: no answer", from: "Test", broker: "a:1" },
    { level: "debug", message: "kafkajs: connected", from: "Test" },
  ]);
  expect(lines.join()).not.toContain("secret");
});

test("createClient() leaves out kafkajs's warning about limited retries, as kafkajs words it", () => {
  const said: string[] = [];
  const bare = new Kafka({
    brokers: ["127.0.0.1:1"],
    logCreator:
      () =>
      ({ log }) =>
        void said.push(log.message),
  });
  bare.producer(LIMITED);
  expect(said).toHaveLength(1);
  expect(said[0]).toStartWith("Limiting retries for the idempotent producer");

  const { kafka, lines } = clientLog();
  kafka.producer(LIMITED);
  expect(lines).toEqual([]);
});
