import type { Table } from "apache-arrow";
import { clustersModel } from "./models/clusters.ts";
import { forecastModel } from "./models/forecast.ts";

/**
 * Computes a job's result from the rows of its SELECT. It runs in the program's own thread and yields to the event loop every
 * few ms.
 *
 * @throws EngineError `cancelled` after `signal` aborts
 */
export type Model = (rows: Table, signal?: AbortSignal) => Promise<Table>;

/** What SQL cannot carry well, by the name in a job's header. */
export const MODELS: ReadonlyMap<string, Model> = new Map([
  ["clusters", clustersModel],
  ["forecast", forecastModel],
]);
