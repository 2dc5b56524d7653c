import { cp, mkdtemp, realpath, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { ROOMS } from "../rooms.ts";

const ROOT = resolve(import.meta.dir, "../..");
/** What is copied beside the rooms: what the types, the pages and the documents need. */
const OTHERS = ["public", "docs", "package.json", "tsconfig.json", "bunfig.toml"];

/** The variable that only the newer program knows: its field and column. */
export const LATER_COLUMN = "uv_index";

/** Where the entry of {@link LATER_COLUMN} goes: before the end of the table. */
const TABLE_END = "} as const satisfies Record<string, VariableInfo>;";

/**
 * Everything that makes the UV index a variable: its entry, its line in one source that reports it, and its limits. By
 * file, a text that stands in it once, and what is put before that.
 */
const ADDED: Readonly<Record<string, { before: string; text: string }>> = {
  "core/variables.ts": {
    before: TABLE_END,
    text: `  ${LATER_COLUMN}: {
    contract: false,
    standardName: "ultraviolet_index",
    unit: "1",
    meaning: "UV index",
    range: [0, 50],
    decimals: 1,
    example: 3.2,
    label: "UV index",
    aggregation: "maximum",
    chart: { least: 4 },
  },
`,
  },
  "jobs/sources/open-meteo-answer.ts": {
    before: '  cloud_cover: "clouds",\n',
    text: `  ${LATER_COLUMN}: "${LATER_COLUMN}",\n`,
  },
  "spark/limits.csv": {
    before: "gross,rainfall,",
    text: `gross,${LATER_COLUMN},,,,0,16,0,30,1,own\n`,
  },
};

/** A copy of the program that knows one more variable: what the next version will be to this one. */
export class NewerProgram {
  readonly #folder: string;
  /** The files in which it differs from this program. */
  readonly changed: readonly string[] = Object.keys(ADDED);

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Copies the program and adds the variable. */
  static async make(): Promise<NewerProgram> {
    const folder = await realpath(await mkdtemp(join(tmpdir(), "isobar-newer-")));
    const copied = [...Object.keys(ROOMS), ...OTHERS];
    await Promise.all(copied.map((name) => cp(join(ROOT, name), join(folder, name), { recursive: true })));
    await symlink(join(ROOT, "node_modules"), join(folder, "node_modules"));
    for (const [file, { before, text }] of Object.entries(ADDED)) {
      const path = join(folder, file);
      const parts = (await Bun.file(path).text()).split(before);
      if (parts.length !== 2) throw new Error(`${file} does not have "${before}" once`);
      await Bun.write(path, parts.join(`${text}${before}`));
    }
    return new NewerProgram(folder);
  }

  /** A module of it. @param path as in the project: `jobs/batch.ts`; `M` is the type of the project's own */
  load<M>(path: string): Promise<M> {
    return import(join(this.#folder, path)) as Promise<M>;
  }

  /** Runs Bun in its folder: the exit code, and what was written to standard output and standard error. */
  async bun(
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<{ code: number; output: string }> {
    const child = Bun.spawn([process.execPath, "--no-env-file", ...args], {
      cwd: this.#folder,
      env: { PATH: process.env.PATH ?? "", HOME: tmpdir(), ...env },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    const [code, out, err] = await Promise.all([child.exited, child.stdout.text(), child.stderr.text()]);
    return { code, output: `${out}${err}` };
  }

  /** Deletes it. */
  remove(): Promise<void> {
    return rm(this.#folder, { recursive: true, force: true });
  }
}
