import { expect, test } from "bun:test";
import { DuckDBInstance } from "@duckdb/node-api";
import duckdb from "@duckdb/node-bindings";
import { dependencies } from "../../package.json";
import { pendingHandle } from "../../spark/duckdb-internals.ts";

test("@duckdb/node-api is the version that duckdb-internals.ts was checked against", () => {
  expect(dependencies["@duckdb/node-api"]).toBe("1.5.6-r.1");
});

test("pendingHandle() is what the binding runs the query by", async () => {
  const instance = await DuckDBInstance.create(":memory:", { threads: "1" });
  const connection = await instance.connect();
  try {
    const pending = (await connection.prepare("SELECT 42 AS answer")).start();
    const handle = pendingHandle(pending);
    while (duckdb.pending_execute_task(handle) === duckdb.PendingState.RESULT_NOT_READY);
    expect(duckdb.pending_error(handle)).toBe("");
    const result = await pending.getResult();
    expect(await result.getRowObjects()).toEqual([{ answer: 42 }]);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
});

test("pendingHandle() refuses a class without the field", () => {
  expect(() => pendingHandle({} as never)).toThrow("has no pending_result");
});
