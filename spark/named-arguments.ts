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

/**
 * Why the arguments given are not those of the SQL text, or null: each name wants a value, and each value a name.
 *
 * @param names those of the text
 */
export function argumentMismatch(
  names: readonly string[],
  given: Readonly<Record<string, unknown>>,
): string | null {
  const missing = names.find((name) => !Object.hasOwn(given, name));
  if (missing !== undefined) return `the argument :${missing} has no value`;
  const unused = Object.keys(given).find((name) => !names.includes(name));
  return unused === undefined ? null : `the argument :${unused} is not used`;
}
