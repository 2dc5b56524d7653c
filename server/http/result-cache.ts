import type { Table } from "apache-arrow";
import { yieldToEventLoop } from "../../core/yield-to-event-loop.ts";
import { rowsOf, tableToBytes } from "../../spark/arrow.ts";
import { type Format, csvLine } from "../formats/formats.ts";
import type { Effort } from "./compression.ts";
import { Payload } from "./payload.ts";
import type { Result } from "../../jobs/analytics/results.ts";
import type { About } from "../../core/about.ts";
import { type RowRange, SLICE_ROWS, rangesBy, take } from "../formats/table-slices.ts";
import { unitsOf } from "../formats/column-units.ts";

/** What is kept of a job's newest result. */
interface Kept {
  run: string;
  payloads: Map<Format, Promise<Payload>>;
  ranges: Promise<Map<string, RowRange[]>> | undefined;
}

/**
 * Results as bytes. The whole result of a job is serialised once for each format that is asked for and kept until a
 * newer result replaces it; a part of it is serialised anew. Large results are serialised in slices, so that other
 * requests are answered meanwhile.
 */
export class ResultCache {
  readonly #about: About;
  readonly #kept = new Map<string, Kept>();

  constructor(about: About) {
    this.#about = about;
  }

  /** A result in a format. */
  whole(result: Result, format: Format): Promise<Payload> {
    const { payloads } = this.#of(result);
    let payload = payloads.get(format);
    if (payload === undefined) {
      payload =
        format === "arrow"
          ? Promise.resolve(new Payload(result.arrow, { effort: null }))
          : this.#text(result, result.table, format, "kept");
      payloads.set(format, payload);
      payload.catch(() => payloads.delete(format));
    }
    return payload;
  }

  /** The rows of one city, in a format. The table must have a column `city`. */
  async ofCity(result: Result, city: string, format: Format): Promise<Payload> {
    const kept = this.#of(result);
    kept.ranges ??= rangesBy(result.table, "city");
    const ranges = (await kept.ranges).get(city) ?? [];
    const own = take(result.table, ranges);
    if (format !== "arrow") return this.#text(result, own, format, "quick");
    return new Payload(tableToBytes(own, "stream"), { effort: null });
  }

  #of(result: Result): Kept {
    let kept = this.#kept.get(result.job);
    if (kept?.run !== result.run) {
      kept = { run: result.run, payloads: new Map(), ranges: undefined };
      this.#kept.set(result.job, kept);
    }
    return kept;
  }

  async #text(result: Result, table: Table, format: "json" | "csv", effort: Effort): Promise<Payload> {
    const names = table.schema.fields.map(({ name }) => name);
    const chunks = [Buffer.from(format === "csv" ? csvLine(names) : this.#head(result, names))];
    for (let start = 0; start < table.numRows; start += SLICE_ROWS) {
      if (start > 0) await yieldToEventLoop();
      const rows = rowsOf(table.slice(start, start + SLICE_ROWS));
      const text =
        format === "csv"
          ? rows.map((row) => csvLine(names.map((name) => row[name]))).join("")
          : (start > 0 ? "," : "") + rows.map((row) => JSON.stringify(row)).join(",");
      chunks.push(Buffer.from(text));
    }
    if (format === "json") chunks.push(Buffer.from("]}"));
    return new Payload(Buffer.concat(chunks), { effort });
  }

  /** The JSON object up to its rows. */
  #head(result: Result, names: readonly string[]): string {
    const object = {
      generated_at: result.generated_at,
      dataset: this.#about.dataset,
      kind: this.#about.kind,
      units: unitsOf(names, result.job),
      result: factsOf(result),
    };
    return `${JSON.stringify(object).slice(0, -1)},"rows":[`;
  }
}

/** What a result says about itself, without its rows. */
export function factsOf(result: Result) {
  const { job, run, generated_at, engine, commits, rows_read, duration_ms, table } = result;
  return { job, run, generated_at, engine, commits, rows_read, duration_ms, rows: table.numRows };
}
