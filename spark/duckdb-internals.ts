/**
 * What DuckDB's Node API keeps to itself and the engine needs. Checked against 1.5.6-r.1;
 * `test/spark/duckdb-internals.test.ts` fails when it changes.
 */
import type { DuckDBPendingResult } from "@duckdb/node-api";
import type duckdb from "@duckdb/node-bindings";

/**
 * The handle of a query under way, to look whether it ended. The class's own way to wait runs the query's tasks in this
 * thread.
 *
 * @throws Error when the class has no such field
 */
export function pendingHandle(pending: DuckDBPendingResult): duckdb.PendingResult {
  const { pending_result: handle } = pending as unknown as { pending_result?: duckdb.PendingResult };
  if (handle === undefined)
    throw new Error("@duckdb/node-api has no pending_result: see duckdb-internals.ts");
  return handle;
}
