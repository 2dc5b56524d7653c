import { join } from "node:path";
import ts from "typescript";
import { namesOf, isExported } from "./documented.ts";
import { codeFiles, parseCode } from "./rooms.ts";

/** Most lines of a function outside the tests. */
const LONGEST = 80;
/** How a comment above a longer one begins; what follows says why it is one piece. */
const REASON = /\bLong because \S/;

/** Names that two files export on purpose, each with the reason. */
const TWICE: Readonly<Record<string, string>> = {};

/**
 * Functions of a file that are longer than {@link LONGEST} lines and have no comment that says why (`// Long because …`).
 *
 * @returns one line a finding
 */
export function longFunctions(path: string, text: string): string[] {
  const source = parseCode(path, text);
  const findings: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && "body" in node && node.body !== undefined) {
      const first = source.getLineAndCharacterOfPosition(node.getStart()).line;
      const last = source.getLineAndCharacterOfPosition(node.getEnd()).line;
      const lines = last - first + 1;
      if (lines > LONGEST && !hasReason(node, text))
        findings.push(`${path}:${first + 1}: a function of ${lines} lines, wanted at most ${LONGEST}`);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return findings;
}

/** Whether the comment above a function, or above the statement it stands in, says why it is long. */
function hasReason(node: ts.Node, text: string): boolean {
  for (let at: ts.Node = node; !ts.isSourceFile(at); at = at.parent) {
    if (REASON.test(text.slice(at.getFullStart(), at.getStart()))) return true;
    if (ts.isStatement(at) || ts.isClassElement(at)) return false;
  }
  return false;
}

/**
 * Names that more than one file exports, re-exports left out: who searches for one finds two things.
 *
 * @param files path and text
 * @param allowed names that may be there twice
 */
export function exportedTwice(
  files: readonly (readonly [path: string, text: string])[],
  allowed: Readonly<Record<string, string>> = TWICE,
): string[] {
  const places = new Map<string, Set<string>>();
  for (const [path, text] of files) {
    for (const statement of parseCode(path, text).statements) {
      if (!isExported(statement)) continue;
      for (const name of namesOf(statement)) places.set(name, (places.get(name) ?? new Set()).add(path));
    }
  }
  const twice = [...places].filter(([name, paths]) => paths.size > 1 && name !== "the default export");
  return [
    ...twice
      .filter(([name]) => !Object.hasOwn(allowed, name))
      .map(([name, paths]) => `${name} is exported by ${[...paths].join(" and ")}`),
    ...Object.keys(allowed)
      .filter((name) => !twice.some(([one]) => one === name))
      .map((name) => `${name} is exported once: its exception is not needed any more`),
  ];
}

/** {@link longFunctions} and {@link exportedTwice} over every room but the tests; generated code is left out. */
export async function checkStructure(root: string): Promise<string[]> {
  const paths = (await codeFiles(root)).filter(
    (path) => !path.startsWith("test/") && !path.endsWith("_pb.ts"),
  );
  const files = await Promise.all(
    paths.map(async (path) => [path, await Bun.file(join(root, path)).text()] as const),
  );
  return [...files.flatMap(([path, text]) => longFunctions(path, text)), ...exportedTwice(files)];
}
