import { existsSync } from "node:fs";
import { join } from "node:path";
import { checkDocumented } from "./documented.ts";
import { checkRooms } from "./rooms.ts";
import { checkStructure } from "./structure.ts";

/** One part of the gate. */
export interface Step {
  name: string;
  /** What is wrong, for people; empty when nothing is. A step that throws has failed too. */
  run(): Promise<string>;
}

/**
 * Runs all steps at the same time, prints one line a step as it ends and what is wrong at the end.
 *
 * @returns whether nothing is wrong
 */
export async function check(steps: readonly Step[], print: (text: string) => void): Promise<boolean> {
  const width = Math.max(...steps.map((step) => step.name.length));
  const outputs = await Promise.all(
    steps.map(async ({ name, run }) => {
      const start = performance.now();
      const output = await run().catch((error: unknown) => String(error) || "failed without a word");
      const seconds = ((performance.now() - start) / 1000).toFixed(1);
      print(`${output === "" ? "ok    " : "FAILED"}  ${name.padEnd(width)}  ${seconds} s`);
      return output === "" ? "" : `\n${name}:\n${output}`;
    }),
  );
  const failed = outputs.filter((output) => output !== "");
  for (const output of failed) print(output);
  return failed.length === 0;
}

/** A step that runs a program of Bun or of a package. It fails when the program ends with anything but 0. */
export function program(name: string, command: readonly string[], root: string): Step {
  return {
    name,
    async run() {
      // With the Bun that runs this: neither Bun nor Node need be on the path.
      const child = Bun.spawn([process.execPath, ...command], { cwd: root, stdout: "pipe", stderr: "pipe" });
      const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
      return code === 0 ? "" : `${out}${err}`.trim() || `${command.join(" ")} ended with ${code}`;
    },
  };
}

/** A step of our own: it fails when there are findings. */
function findings(name: string, find: () => Promise<string[]>): Step {
  return { name, run: async () => (await find()).join("\n") };
}

function steps(root: string): Step[] {
  const islands = "views/islands/tsconfig.json";
  return [
    program("types", ["check", "--no-script"], root),
    // Islands run in a browser: a project of their own, with the DOM's types.
    ...(existsSync(join(root, islands))
      ? [program("types of the islands", ["check", "--no-script", "-p", islands], root)]
      : []),
    program("format", ["fmt", "--check"], root),
    program("lint", ["node_modules/oxlint/bin/oxlint", "--deny-warnings"], root),
    program("unescaped JSX", ["node_modules/@kitajs/ts-html-plugin/dist/cli.js"], root),
    findings("rooms", () => checkRooms(root)),
    findings("doc comments", () => checkDocumented(root)),
    findings("structure", () => checkStructure(root)),
  ];
}

if (import.meta.main) {
  const fine = await check(steps(join(import.meta.dir, "..")), (text) => console.log(text));
  process.exit(fine ? 0 : 1);
}
