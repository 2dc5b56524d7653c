import { existsSync, readFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import ts from "typescript";

/** What a room may import: files of other rooms, and packages or built-ins of the runtime. */
export interface Room {
  /** Other rooms; `*` for all. */
  rooms: readonly string[] | "*";
  /** Whether packages and built-ins (`node:fs`, `bun:sqlite`) may be imported. */
  packages: boolean;
}

/** The import table. `CONTRIBUTING.md` says what each room is for. */
export const ROOMS: Readonly<Record<string, Room>> = {
  core: { rooms: [], packages: false },
  spark: { rooms: ["core"], packages: true },
  jobs: { rooms: ["core", "spark"], packages: true },
  views: { rooms: ["core"], packages: true },
  deploy: { rooms: ["core", "spark"], packages: true },
  server: { rooms: "*", packages: true },
  test: { rooms: "*", packages: true },
};

/** Folders that hold no code of the program. */
const OTHER_FOLDERS = ["public", "docs", ".ci"];
const FILES = [
  ".dockerignore",
  ".editorconfig",
  ".env.example",
  ".gitignore",
  ".oxlintrc.json",
  "CHANGELOG.md",
  "CONTRIBUTING.md",
  "LICENSE",
  "README.md",
  "bun.lock",
  "bunfig.toml",
  "docker-compose.yml",
  "package.json",
  "tsconfig.json",
];
/** What git ignores or keeps for itself. */
const IGNORED = /^(\.git|node_modules|data|coverage|\.env|\.cache|.*\.log)$/;

/** One import: the file that imports, and what it names. Paths are relative to the project. */
export interface Import {
  from: string;
  /** As it stands in the code. */
  specifier: string;
  /** The file it means, or null for a package or a built-in. */
  file: string | null;
}

/** The code of every room, as paths relative to `root`, sorted. */
export async function codeFiles(root: string): Promise<string[]> {
  const files: string[] = [];
  for (const room of Object.keys(ROOMS)) {
    if (!existsSync(join(root, room))) continue;
    for await (const path of new Bun.Glob("**/*.{ts,tsx}").scan(join(root, room)))
      files.push(`${room}/${path.replaceAll("\\", "/")}`);
  }
  return files.sort();
}

/** Parses a file of code. Its nodes know their parents. */
export function parseCode(path: string, text: string): ts.SourceFile {
  return ts.createSourceFile(
    path,
    text,
    ts.ScriptTarget.Latest,
    true,
    path.endsWith("x") ? ts.ScriptKind.TSX : ts.ScriptKind.TS,
  );
}

/**
 * Every module a file names: static imports and exports, type-only ones included, `import()` as a call and as a type, and
 * `require()`. An `import()` of a computed name is not seen.
 */
export function importsOf(path: string, text: string): Import[] {
  const found: Import[] = [];
  const add = (node: ts.Node | undefined) => {
    if (node === undefined || !ts.isStringLiteralLike(node)) return;
    const specifier = node.text;
    const file = specifier.startsWith(".") ? join(dirname(path), specifier) : null;
    found.push({ from: path, specifier, file });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) add(node.moduleSpecifier);
    else if (ts.isExternalModuleReference(node)) add(node.expression);
    else if (ts.isImportTypeNode(node))
      add(ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined);
    else if (ts.isCallExpression(node) && isImportCall(node.expression)) add(node.arguments[0]);
    ts.forEachChild(node, visit);
  };
  visit(parseCode(path, text));
  return found;
}

/** What is wrong with imports by the table {@link ROOMS}: one line a finding. */
export function forbiddenImports(imports: readonly Import[]): string[] {
  const findings: string[] = [];
  for (const { from, specifier, file } of imports) {
    const own = roomOf(from);
    const room = ROOMS[own];
    if (room === undefined) continue;
    if (file === null) {
      if (!room.packages)
        findings.push(`${from} imports "${specifier}": ${own} imports no package and no built-in`);
      continue;
    }
    const other = roomOf(file);
    if (other === own || room.rooms === "*" || room.rooms.includes(other)) continue;
    findings.push(
      `${from} imports "${specifier}": ${own} may import ${room.rooms.length === 0 ? "no other room" : room.rooms.join(", ")}`,
    );
  }
  return findings;
}

/** Circles of files that import each other, type-only imports included: `a.ts → b.ts → a.ts`, one for each file that closes one. */
export function importCycles(imports: readonly Import[]): string[] {
  const next = new Map<string, string[]>();
  for (const { from, file } of imports) if (file !== null) next.set(from, [...(next.get(from) ?? []), file]);
  const cycles: string[] = [];
  const done = new Set<string>();
  const walk = (file: string, above: readonly string[]): void => {
    const start = above.indexOf(file);
    if (start !== -1) {
      cycles.push([...above.slice(start), file].join(" → "));
      return;
    }
    if (done.has(file)) return;
    for (const target of next.get(file) ?? []) walk(target, [...above, file]);
    done.add(file);
  };
  for (const file of next.keys()) walk(file, []);
  return cycles;
}

/** Circles of folders: the same for the folders that files lie in, `server/live → server/answers → server/live`. */
export function folderCycles(imports: readonly Import[]): string[] {
  const folders = imports.flatMap(({ from, specifier, file }) => {
    const [own, other] = [dirname(from), file === null ? null : dirname(file)];
    return other === null || other === own ? [] : [{ from: own, specifier, file: other }];
  });
  return importCycles(folders);
}

/** Most files a folder of `server/` holds, so that one look finds the right one. */
const CROWDED = 15;

/** Folders of `server/` that hold too many files. */
export function crowdedFolders(files: readonly string[]): string[] {
  const own = files.filter((file) => roomOf(file) === "server");
  return [...Map.groupBy(own, (file) => dirname(file))]
    .filter(([, inside]) => inside.length > CROWDED)
    .map(([folder, { length }]) => `${folder} holds ${length} files, wanted at most ${CROWDED}`);
}

/**
 * Imports of modules inside a package that it does not offer. What a library may change without a word has one file,
 * `…-internals.ts`, beside its types and its test.
 *
 * @param offersModules whether a package says which of its modules are public (`exports`); others cannot be imported then
 */
export function privateImports(
  imports: readonly Import[],
  offersModules: (packageName: string) => boolean,
): string[] {
  return imports.flatMap(({ from, specifier, file }) => {
    const [, name, module] = /^(@[^/]+\/[^/]+|[^@/:]+)\/(.+)$/.exec(specifier) ?? [];
    if (file !== null || name === undefined || module === "package.json" || offersModules(name)) return [];
    if (/-internals[^/]*$/.test(from)) return [];
    return [`${from} imports "${specifier}", a private module: only a file …-internals.ts may`];
  });
}

/** Names at the top of the project that nobody asked for. */
export function unexpectedNames(names: readonly string[]): string[] {
  const known = new Set([...Object.keys(ROOMS), ...OTHER_FOLDERS, ...FILES]);
  return names
    .filter((name) => !known.has(name) && !IGNORED.test(name))
    .map((name) => `${name}: not a name for the top of the project`);
}

/** Everything that is wrong with the rooms of the project at `root`: one line a finding, none when all is well. */
export async function checkRooms(root: string): Promise<string[]> {
  const imports: Import[] = [];
  const files = await codeFiles(root);
  for (const path of files) imports.push(...importsOf(path, await Bun.file(join(root, path)).text()));
  const missing = imports
    .filter(({ file }) => file !== null && !existsSync(join(root, file)))
    .map(({ from, specifier }) => `${from} imports "${specifier}": no such file (write the ending too)`);
  return [
    ...unexpectedNames(await readdir(root)),
    ...missing,
    ...forbiddenImports(imports),
    ...privateImports(imports, (name) => offersModules(root, name)),
    ...importCycles(imports),
    ...folderCycles(imports),
    ...crowdedFolders(files),
  ];
}

function offersModules(root: string, packageName: string): boolean {
  const path = join(root, "node_modules", packageName, "package.json");
  return existsSync(path) && "exports" in (JSON.parse(readFileSync(path, "utf8")) as object);
}

function roomOf(path: string): string {
  return path.split("/")[0] ?? "";
}

function isImportCall(callee: ts.Expression): boolean {
  return (
    callee.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(callee) && callee.text === "require")
  );
}
