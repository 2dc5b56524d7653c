import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { cp, mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import tsconfig from "../../tsconfig.json" with { type: "json" };
import packageJson from "../../package.json" with { type: "json" };

const root = join(import.meta.dir, "../..");

interface Instruction {
  name: string;
  text: string;
}

/** The instructions of the Dockerfile, a list a stage. */
const stages = await readStages();
const [dependencies = [], image = []] = stages;

async function readStages(): Promise<Instruction[][]> {
  const text = await Bun.file(join(root, "deploy/Dockerfile")).text();
  const found: Instruction[][] = [];
  for (const line of text.replaceAll("\\\n", " ").split("\n")) {
    if (line.trim() === "" || line.startsWith("#")) continue;
    const [, name = "", rest = ""] = /^([A-Z]+) +(.*)$/.exec(line.replace(/\s+/g, " ").trim()) ?? [];
    if (name === "FROM") found.push([]);
    found.at(-1)?.push({ name, text: rest });
  }
  return found;
}

const all = (stage: readonly Instruction[], name: string) =>
  stage.filter((one) => one.name === name).map(({ text }) => text);
const only = (stage: readonly Instruction[], name: string): string => {
  const found = all(stage, name);
  expect(found.length).toBe(1);
  return found[0]!;
};

/** What a stage copies from the project: from where, and to where. */
function copiesOf(stage: readonly Instruction[]): { from: string; to: string }[] {
  return all(stage, "COPY").flatMap((text) => {
    const words = text.split(" ");
    if (words[0]!.startsWith("--from=")) return [];
    const to = words.at(-1)!;
    return words.slice(0, -1).map((from) => ({ from, to: to.endsWith("/") ? join(to, from) : to }));
  });
}

/** Whether `.dockerignore` keeps a path from the builder: the last line that matches decides, `!` takes it back in. */
async function ignored(): Promise<(path: string) => boolean> {
  const text = await Bun.file(join(root, ".dockerignore")).text();
  const rules = text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => ({ out: !line.startsWith("!"), glob: new Bun.Glob(line.replace(/^!/, "")) }));
  return (path) => {
    const parts = path.split("/");
    const paths = parts.map((_, i) => parts.slice(0, i + 1).join("/")); // a rule for a folder holds for what is in it
    return rules.reduce((out, rule) => (paths.some((one) => rule.glob.match(one)) ? rule.out : out), false);
  };
}

/** Every file that `server/main.ts` loads, and the packages they name; what is named for its types only is not loaded. */
const loaded = await (async () => {
  const files = new Set<string>();
  const packages = new Set<string>();
  const visit = async (path: string): Promise<void> => {
    if (files.has(path)) return;
    files.add(path);
    if (!/\.tsx?$/.test(path)) return;
    const text = await Bun.file(join(root, path)).text();
    const loader = path.endsWith("x") ? "tsx" : "ts";
    if (loader === "tsx") packages.add(tsconfig.compilerOptions.jsxImportSource);
    for (const { path: named } of new Bun.Transpiler({ loader }).scan(text).imports) {
      if (named.startsWith(".")) await visit(join(dirname(path), named));
      else if (!/^(node|bun):|^bun$/.test(named)) packages.add(packageOf(named));
    }
    // What the server builds, reads and resolves by itself.
    for (const [, named] of text.matchAll(/\b(?:pathOf|readFile)\("(\.[^"]+)"\)/g))
      await visit(join(dirname(path), named!));
    for (const [, named] of text.matchAll(/\breadPackage\("([^"]+)"\)/g)) packages.add(packageOf(named!));
  };
  await visit("server/main.ts");
  return { files, packages };
})();

function packageOf(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

describe("deploy/Dockerfile", () => {
  test("has two stages of the Bun that the project is tested with, and runs as its user without rights", () => {
    const version = packageJson.engines.bun.replace(/^\D+/, "");
    expect(stages.map((stage) => only(stage, "FROM"))).toEqual([
      `oven/bun:${version} AS dependencies`,
      `oven/bun:${version}-slim`,
    ]);
    expect(only(image, "USER")).toBe("bun");
    const names = image.map(({ name }) => name);
    expect(names.slice(names.indexOf("USER"))).not.toContain("RUN");
    expect(only(image, "STOPSIGNAL")).toBe("SIGTERM");
    expect(all(image, "COPY")[0]).toBe("--from=dependencies /app/node_modules node_modules");
  });

  test("installs by the lock file, without the packages of development", () => {
    expect(only(dependencies, "RUN")).toBe("bun install --frozen-lockfile --production --ignore-scripts");
    expect(copiesOf(dependencies).map(({ from }) => from)).toEqual(["package.json", "bun.lock"]);
  });

  test("everything it copies is in the project, and .dockerignore lets it through", async () => {
    const isIgnored = await ignored();
    for (const { from } of [...copiesOf(dependencies), ...copiesOf(image)]) {
      const there = await Bun.file(join(root, from)).exists();
      const folder = there ? [] : await readdir(join(root, from));
      expect([from, there || folder.length > 0, isIgnored(from)]).toEqual([from, true, false]);
    }
  });

  test(".dockerignore keeps secrets, data and history from the builder", async () => {
    const isIgnored = await ignored();
    for (const path of [".env", ".git/config", "data/log/x.sqlite", "node_modules/x/y.js", "server/.env"])
      expect([path, isIgnored(path)]).toEqual([path, true]);
    expect(isIgnored("jobs/log/log.ts")).toBe(false);
  });

  test("everything that server/main.ts loads is in the image", async () => {
    const copied = copiesOf(image).map(({ from }) => from);
    const isIgnored = await ignored();
    const { files } = loaded;
    expect(files.size).toBeGreaterThan(50);
    const missing = [...files].filter(
      (file) => isIgnored(file) || !copied.some((from) => file === from || file.startsWith(`${from}/`)),
    );
    expect(missing).toEqual([]);
    expect(copied).toContain("tsconfig.json"); // says how JSX is compiled
  });

  test("every package that server/main.ts loads is a dependency, and no other is", () => {
    const { packages } = loaded;
    const known = Object.keys(packageJson.dependencies);
    expect([...packages].filter((name) => !known.includes(name))).toEqual([]);
    // DuckDB's API finds its binding by itself.
    const silent = ["@duckdb/node-bindings"];
    expect(known.filter((name) => !packages.has(name) && !silent.includes(name))).toEqual([]);
  });
});

/** The recipe followed without containers: its copies, its installation, its command and its health check. */
describe("the image's recipe", () => {
  let folder = "";
  const app = () => join(folder, "app");
  /** The image's variables, with what a test changes. */
  const env = (changes: Record<string, string>): Record<string, string> => {
    const own = all(image, "ENV").flatMap((text) => text.split(" ").map((pair) => pair.split("=")));
    return { PATH: process.env.PATH!, HOME: folder, ...Object.fromEntries(own), ...changes };
  };
  const bun = (json: string) => {
    const [command, ...args] = JSON.parse(json.replace(/^.*?CMD /, "")) as string[];
    expect(command).toBe("bun");
    return [process.execPath, ...args];
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "isobar-image-"));
    const isIgnored = await ignored();
    for (const { from, to } of [...copiesOf(dependencies), ...copiesOf(image)]) {
      const target = join(app(), to);
      await mkdir(dirname(target), { recursive: true });
      const filter = (path: string) => !isIgnored(path.slice(root.length + 1));
      await cp(join(root, from), target, { recursive: true, filter });
    }
    const install = only(dependencies, "RUN").split(" ").slice(1);
    const child = Bun.spawn([process.execPath, ...install], { cwd: app(), stdout: "ignore", stderr: "pipe" });
    const [code, err] = await Promise.all([child.exited, child.stderr.text()]);
    if (code !== 0) throw new Error(`${install.join(" ")} ended with ${code}:\n${err}`);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test("starts with nothing but what is in it, answers its health check, and stops on its signal", async () => {
    const data = join(folder, "data");
    const settings = { DATA_DIR: data, PORT: "0", WEATHER_SOURCE: "simulator" };
    const server = Bun.spawn(bun(all(image, "CMD").at(-1)!), {
      cwd: app(),
      env: env(settings),
      stdout: "ignore",
      stderr: "pipe",
    });
    try {
      let text = "";
      const decoder = new TextDecoder();
      for await (const chunk of server.stderr) {
        text += decoder.decode(chunk, { stream: true });
        if (text.includes("Isobar is at ")) break;
      }
      const [, port] = /Isobar is at http:\/\/127\.0\.0\.1:(\d+)/.exec(text) ?? [];
      expect({ port, text }).toMatchObject({ port: expect.any(String) });
      const health = async (at: string) =>
        Bun.spawn(bun(only(image, "HEALTHCHECK")), {
          cwd: app(),
          env: env({ PORT: at }),
          stdout: "ignore",
          stderr: "ignore",
        }).exited;
      expect(await health(port!)).toBe(0);
      expect(await health("1")).toBe(1);
      server.kill(only(image, "STOPSIGNAL") as NodeJS.Signals);
      expect(await server.exited).toBe(0);
    } finally {
      server.kill("SIGKILL");
      await server.exited;
    }
  });
});
