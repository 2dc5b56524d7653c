import { join } from "node:path";
import ts from "typescript";
import { codeFiles, parseCode } from "./rooms.ts";

/**
 * Exports of a file that have no doc comment: functions, classes, constants, interfaces, types and enums. Re-exports need
 * none: what they name has its own.
 *
 * @returns one line a finding: `core/time.ts:3: hourKey has no doc comment`
 */
export function undocumented(path: string, text: string): string[] {
  const source = parseCode(path, text);
  const findings: string[] = [];
  const documented = new Set<string>();
  for (const statement of source.statements) {
    if (!isExported(statement)) continue;
    for (const name of namesOf(statement)) {
      // Of overloads the first speaks for all.
      if (hasDoc(statement)) documented.add(name);
      if (documented.has(name)) continue;
      documented.add(name);
      const { line } = source.getLineAndCharacterOfPosition(statement.getStart());
      findings.push(`${path}:${line + 1}: ${name} has no doc comment`);
    }
  }
  return findings;
}

/** {@link undocumented} over every room but the tests. */
export async function checkDocumented(root: string): Promise<string[]> {
  // Generated code is documented where it is generated from.
  const files = (await codeFiles(root)).filter(
    (path) => !path.startsWith("test/") && !path.endsWith("_pb.ts"),
  );
  const findings = await Promise.all(
    files.map(async (path) => undocumented(path, await Bun.file(join(root, path)).text())),
  );
  return findings.flat();
}

/** Whether a statement is exported. */
export function isExported(statement: ts.Statement): boolean {
  if (ts.isExportAssignment(statement)) return true;
  return (
    ts.canHaveModifiers(statement) &&
    (ts.getModifiers(statement) ?? []).some((modifier) => modifier.kind === ts.SyntaxKind.ExportKeyword)
  );
}

/** The names that a statement declares. */
export function namesOf(statement: ts.Statement): string[] {
  if (ts.isVariableStatement(statement))
    return statement.declarationList.declarations.map((declaration) => declaration.name.getText());
  if (
    ts.isFunctionDeclaration(statement) ||
    ts.isClassDeclaration(statement) ||
    ts.isInterfaceDeclaration(statement) ||
    ts.isTypeAliasDeclaration(statement) ||
    ts.isEnumDeclaration(statement)
  ) {
    return [statement.name?.text ?? "the default export"];
  }
  return ["the default export"];
}

function hasDoc(node: ts.Node): boolean {
  return ts
    .getJSDocCommentsAndTags(node)
    .some((doc) => ts.isJSDoc(doc) && (ts.getTextOfJSDocComment(doc.comment) ?? "").trim() !== "");
}
