import { afterAll, beforeAll } from "bun:test";
import { logContract } from "../../contract/log-contract.ts";
import { openKafkaLog, type TestKafka, testKafka } from "./server.ts";

let kafka: TestKafka;
beforeAll(async () => {
  kafka = await testKafka();
});
afterAll(() => kafka?.end());

for (const partitions of [1, 4]) {
  logContract(`Kafka, ${partitions} partitions`, async () => {
    const options = kafka.options({ partitions });
    let log = await openKafkaLog(options);
    return {
      log,
      reopen: async () => {
        await log.close();
        return (log = await openKafkaLog(options));
      },
      cleanup: () => log.close(),
    };
  });
}
