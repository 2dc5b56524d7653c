import { expect, test } from "bun:test";
import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runningServer, startJava, stopJava, untilReady } from "../../deploy/cluster/java-process.ts";

test("startJava() gives a server this process's environment, changed as wanted, and stopJava() ends it", async () => {
  const folder = await mkdtemp(join(tmpdir(), "isobar-java-"));
  // What is started is the first `java` of PATH.
  await Bun.write(join(folder, "bin", "java"), "#!/bin/sh\nenv\necho ready\nwhile :; do sleep 0.1; done\n");
  await chmod(join(folder, "bin", "java"), 0o755);
  process.env.ISOBAR_TEST_TAKEN_OUT = "x";
  process.env.ISOBAR_TEST_KEPT = "y";
  try {
    const server = await startJava({
      name: "one",
      folder,
      jars: folder,
      jvm: [],
      main: "Main",
      args: [],
      env: {
        PATH: `${join(folder, "bin")}:${process.env.PATH ?? ""}`,
        ISOBAR_TEST_TAKEN_OUT: undefined,
        ISOBAR_TEST_ADDED: "z",
      },
    });
    const output = () => readFile(server.output, "utf8");
    await untilReady(server, folder, async () => (await output()).includes("ready"), 20_000);
    const lines = (await output()).split("\n").filter((line) => line.startsWith("ISOBAR_TEST"));
    expect(lines.toSorted()).toEqual(["ISOBAR_TEST_ADDED=z", "ISOBAR_TEST_KEPT=y"]);
    expect(await runningServer(folder, "one")).toEqual(server);
    await stopJava(folder, "one");
    expect(await runningServer(folder, "one")).toBeNull();
  } finally {
    delete process.env.ISOBAR_TEST_TAKEN_OUT;
    delete process.env.ISOBAR_TEST_KEPT;
    await stopJava(folder, "one", "SIGKILL");
    await rm(folder, { recursive: true, force: true });
  }
});
