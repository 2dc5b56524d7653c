/** What {@link namedArguments} found. */
export interface NamedSql {
  /** The text with `$name` in place of `:name`, as DuckDB wants it. */
  sql: string;
  /** The names, each once, in the order they appear. */
  names: string[];
}

/**
 * What may hold a colon that is no argument, then an argument. Strings and identifiers double their quote; a cast is `::`.
 * A block comment ends at its first end mark, as in Spark.
 */
const TOKEN = /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\/|::|:([A-Za-z_][A-Za-z0-9_]*)/g;

/** Finds the named arguments of an SQL text, `:name`, outside strings, identifiers and comments. */
export function namedArguments(sql: string): NamedSql {
  const names = new Set<string>();
  const text = sql.replace(TOKEN, (token: string, name: string | undefined) => {
    if (name === undefined) return token;
    names.add(name);
    return `$${name}`;
  });
  return { sql: text, names: [...names] };
}
