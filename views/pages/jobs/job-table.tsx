import { formatTimestamp } from "../../../core/time.ts";
import { formatNumber, MISSING } from "../../format.ts";
import { zoneTime } from "../../zone-time.ts";

/** Rows of a result, by column. */
export interface JobTable {
  columns: JobColumn[];
  /** Rows that are shown, and how many are not. */
  rows: number;
  more: number;
}

/** One column: null stands for what is missing; times and dates are ms. */
export type JobColumn = { name: string; unit: string | null } & (
  | { kind: "number"; digits: number; values: (number | null)[] }
  | { kind: "time" | "date"; values: (number | null)[] }
  | { kind: "text"; values: (string | null)[] }
);

/** A result as a table, scrolling inside itself where it is wide. */
export function JobTablePart({ table }: { table: JobTable }): JSX.Element {
  const { columns, rows } = table;
  return (
    <div class="scroll" tabindex="0" role="region" aria-labelledby="h-result">
      <table class="num">
        <thead>
          <tr>
            {columns.map(({ name, unit, kind }) => (
              <th scope="col" class={kind === "text" ? "left" : undefined}>
                <span safe>{name.replaceAll("_", " ")}</span>
                {unit === null ? (
                  ""
                ) : (
                  <span class="u" safe>
                    {unit}
                  </span>
                )}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {Array.from({ length: rows }, (_, row) => (
            <tr>
              {columns.map((column) => (
                <Cell column={column} row={row} />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Cell({ column, row }: { column: JobColumn; row: number }): JSX.Element {
  const value = column.values[row] ?? null;
  if (value === null) return <td class="missing">{MISSING}</td>;
  if (column.kind === "text") {
    return (
      <td class="left" safe>
        {String(value)}
      </td>
    );
  }
  if (column.kind === "number") return <td safe>{formatNumber(Number(value), column.digits)}</td>;
  const ms = Number(value);
  return (
    <td>
      <time datetime={formatTimestamp(ms)} safe>
        {column.kind === "date" ? zoneTime(null).date(ms) : zoneTime(null).short(ms)}
      </time>
    </td>
  );
}
