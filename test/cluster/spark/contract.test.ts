import { afterAll, beforeAll } from "bun:test";
import { engineContract } from "../../contract/engine-contract.ts";
import { type TestServer, testServer } from "./server.ts";

let spark: TestServer;
beforeAll(async () => {
  spark = await testServer();
  await spark.server.start();
});
afterAll(() => spark.remove());

engineContract(
  "Spark",
  async () => {
    const engine = await spark.open();
    return { engine, cleanup: () => engine.close() };
  },
  // One task: it leaves a core to the others, which a Spark of two cores cannot take from two that run.
  { endless: "SELECT count(*) AS n FROM range(0, 1000000000000, 1, 1)" },
);
