import { EngineError } from "../../core/errors.ts";
import { describe } from "../../core/observation.ts";
import type { Argument } from "../engine.ts";
import { argumentMismatch, namedArguments } from "../named-arguments.ts";

/** Strings, quoted names and comments, whose semicolons end no statement; or a semicolon. */
const TOKEN = /'(?:[^'])*'|"(?:[^"])*"|`[^`]*`|--[^\n]*|\/\*[\s\S]*?\*\/|;/g;
/** The start of a query, with or without parentheses. */
const QUERY = /^[\s(]*(select|with|from|values)\b/i;

/**
 * Removes the semicolon at the end of an SQL text. It must be one query, and its named arguments must match the given ones.
 * Spark itself reports errors inside the query.
 *
 * @throws EngineError `bad_query`
 */
export function oneQuery(sql: string, given: Readonly<Record<string, Argument>>): string {
  const bad = (why: string) => new EngineError("bad_query", `Cannot run the query: ${why}`);
  const mismatch = argumentMismatch(namedArguments(sql).names, given);
  if (mismatch !== null) throw bad(mismatch);
  const statements: { text: string; bare: string }[] = [];
  let start = 0;
  const end = (index: number) => {
    const text = sql.slice(start, index);
    const bare = text.replace(TOKEN, (token) => (/^(--|\/\*)/.test(token) ? " " : token)).trim();
    if (bare !== "") statements.push({ text, bare });
    start = index + 1;
  };
  for (const { 0: token, index } of sql.matchAll(TOKEN)) if (token === ";") end(index);
  end(sql.length);
  const [statement] = statements;
  if (statement === undefined) throw bad("it is empty, wanted one SELECT");
  if (statements.length > 1) throw bad(`it has ${statements.length} statements, wanted one SELECT`);
  if (!QUERY.test(statement.bare)) {
    throw bad(`it begins with ${describe(statement.bare.split(/\s/, 1)[0])}, wanted one SELECT`);
  }
  return statement.text;
}
