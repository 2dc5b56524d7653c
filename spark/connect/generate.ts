import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sha256Hex } from "../../core/checksum.ts";

/** The generator's npm packages. They are downloaded on demand only, because they take 125 MB. */
const GENERATOR = ["@bufbuild/buf@1.75.0", "@bufbuild/protoc-gen-es@2.17.0"];

/**
 * The first line of the code generated from a `.proto` file. A test compares it to find out whether the code is current.
 *
 * @param proto the file's text
 */
export function sourceLine(proto: string): string {
  return `// From a .proto file with the SHA-256 ${sha256Hex(proto)}`;
}

/** Writes the TypeScript of every `.proto` file of this folder beside it, as `<name>_pb.ts`. */
async function generate(folder: string): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), "isobar-proto-"));
  try {
    await writeFile(join(work, "package.json"), "{}");
    await run(["add", ...GENERATOR], work);
    const template = {
      version: "v2",
      inputs: [{ directory: folder }],
      plugins: [
        {
          local: join(work, "node_modules/.bin/protoc-gen-es"),
          out: folder,
          opt: ["target=ts", "import_extension=none"],
        },
      ],
    };
    await run(
      [join(work, "node_modules/@bufbuild/buf/bin/buf"), "generate", "--template", JSON.stringify(template)],
      work,
    );
    for (const name of await readdir(folder)) {
      if (!name.endsWith(".proto")) continue;
      const proto = await readFile(join(folder, name), "utf8");
      const path = join(folder, name.replace(/\.proto$/, "_pb.ts"));
      await writeFile(path, `${sourceLine(proto)}\n${await readFile(path, "utf8")}`);
      await run(["fmt", path], folder);
    }
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function run(args: readonly string[], cwd: string): Promise<void> {
  const child = Bun.spawn([process.execPath, ...args], { cwd, stdout: "pipe", stderr: "pipe" });
  const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  if (code !== 0) throw new Error(`bun ${args.join(" ")} ended with ${code}\n${out}${err}`);
}

if (import.meta.main) await generate(import.meta.dir);
