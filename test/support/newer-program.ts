import { cp, mkdtemp, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const ROOT = resolve(import.meta.dir, "../..");

/** The field and column that only the newer program knows. */
export const LATER_COLUMN = "uv_index";

/** The end of the table of variables, and the entry that the newer version has before it. */
const TABLE_END = "} as const satisfies Record<string, VariableInfo>;";
const ENTRY = `  ${LATER_COLUMN}: {
    contract: false,
    standardName: "ultraviolet_index",
    unit: "1",
    meaning: "UV index",
    range: [0, 50],
    decimals: 1,
    example: 3.2,
    label: "UV index",
    aggregation: "maximum",
    judged: false,
  },
`;

/** A copy of the program that knows one more variable: what the next version will be to this one. */
export class NewerProgram {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Copies what stores and computes, and adds the variable. */
  static async make(): Promise<NewerProgram> {
    const folder = await realpath(await mkdtemp(join(tmpdir(), "isobar-newer-")));
    for (const room of ["core", "spark", "jobs"]) {
      await cp(join(ROOT, room), join(folder, room), { recursive: true });
    }
    await symlink(join(ROOT, "node_modules"), join(folder, "node_modules"));
    const path = join(folder, "core/variables.ts");
    const parts = (await readFile(path, "utf8")).split(TABLE_END);
    if (parts.length !== 2) throw new Error(`core/variables.ts does not have "${TABLE_END}" once`);
    await writeFile(path, parts.join(`${ENTRY}${TABLE_END}`));
    return new NewerProgram(folder);
  }

  /** A module of it. @param path as in the project: `jobs/batch.ts`; `M` is the type of the project's own */
  load<M>(path: string): Promise<M> {
    return import(join(this.#folder, path)) as Promise<M>;
  }

  /** Deletes it. */
  remove(): Promise<void> {
    return rm(this.#folder, { recursive: true, force: true });
  }
}
