/**
 * The text of a view or job as DuckDB reads it, where it differs from Spark: of a window function it wants `IGNORE NULLS` within
 * the brackets, `last_value(x IGNORE NULLS) OVER …`; Spark wants it behind them, as the SQL standard does.
 */
export function forDuckDb(sql: string): string {
  return sql.replace(/\)\s+IGNORE\s+NULLS\s+OVER\b/g, " IGNORE NULLS) OVER");
}
