import { access, mkdir, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { sha256Hex } from "../../core/checksum.ts";
import { IsobarError } from "../../core/errors.ts";

/** A Maven artifact: `group:artifact:version`, and the excluded dependencies (`group:artifact`, `*:*`). */
export interface Artifact {
  id: string;
  exclude?: readonly string[];
}

/** Where downloads and the data of local servers lie: `ISOBAR_CACHE`, else `~/.cache/isobar`. */
export function cacheFolder(): string {
  return process.env.ISOBAR_CACHE ?? join(homedir(), ".cache", "isobar");
}

/**
 * Downloads artifacts with everything they need, once, through Maven.
 *
 * @param name of the server, for the folder and messages
 * @returns the folder of the jars
 * @throws IsobarError `missing_tool` without Java 17 or Maven, `download_failed` with what Maven said
 */
export async function jarsOf(name: string, artifacts: readonly Artifact[]): Promise<string> {
  const pom = pomOf(artifacts);
  const folder = join(cacheFolder(), "jars", `${name}-${sha256Hex(pom).slice(0, 12)}`);
  if (await exists(folder)) return folder;
  await requireTool("java", ["-version"], "Java 17 (for example Debian's package openjdk-17-jre-headless)");
  await requireTool("mvn", ["-v"], "Maven 3 (for example Debian's package maven)");
  // Downloaded to a temporary folder and renamed, so that an interrupted download is never used.
  const work = `${folder}.${process.pid}.tmp`;
  await rm(work, { recursive: true, force: true });
  await mkdir(work, { recursive: true });
  await Bun.write(join(work, "pom.xml"), pom);
  const maven = Bun.spawn(
    [
      "mvn",
      "-q",
      "-B",
      "dependency:copy-dependencies",
      `-DoutputDirectory=${work}`,
      "-DincludeScope=runtime",
    ],
    { cwd: work, stdout: "pipe", stderr: "pipe" },
  );
  const [out, err, code] = await Promise.all([
    new Response(maven.stdout).text(),
    new Response(maven.stderr).text(),
    maven.exited,
  ]);
  if (code !== 0) {
    await rm(work, { recursive: true, force: true });
    throw new IsobarError(
      "download_failed",
      `Cannot download the jars of ${name}: Maven ended with ${code}\n${out}${err}`.slice(0, 4000),
    );
  }
  try {
    await rename(work, folder);
  } catch (error) {
    await rm(work, { recursive: true, force: true });
    if (!(await exists(folder))) throw error; // another process was faster
  }
  return folder;
}

function pomOf(artifacts: readonly Artifact[]): string {
  const dependencies = artifacts.map(({ id, exclude = [] }) => {
    const [group, artifact, version] = id.split(":");
    const exclusions = exclude.map((what) => {
      const [g, a] = what.split(":");
      return `<exclusion><groupId>${g}</groupId><artifactId>${a}</artifactId></exclusion>`;
    });
    return `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version><exclusions>${exclusions.join("")}</exclusions></dependency>`;
  });
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
<modelVersion>4.0.0</modelVersion><groupId>isobar</groupId><artifactId>servers</artifactId><version>1</version><packaging>pom</packaging>
<dependencies>
${dependencies.join("\n")}
</dependencies>
</project>
`;
}

async function requireTool(command: string, args: string[], wanted: string): Promise<void> {
  if (Bun.which(command) === null) {
    throw new IsobarError("missing_tool", `Cannot start local servers: ${command} is not installed`, {
      hint: `Install ${wanted}.`,
    });
  }
  const run = Bun.spawn([command, ...args], { stdout: "ignore", stderr: "pipe" });
  const [text, code] = await Promise.all([new Response(run.stderr).text(), run.exited]);
  const major = command === "java" ? Number(/version "(\d+)/.exec(text)?.[1] ?? 0) : 17;
  if (code !== 0 || major < 17) {
    throw new IsobarError(
      "missing_tool",
      `Cannot start local servers with this ${command}: ${text.split("\n")[0] ?? ""}`,
      { hint: `Install ${wanted}.` },
    );
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
