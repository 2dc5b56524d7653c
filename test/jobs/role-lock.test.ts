import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConfigError } from "../../core/errors.ts";
import { holderOf, lockRole } from "../../jobs/role-lock.ts";
import { thrown } from "../contract/log-contract.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "isobar-lock-"));
});
afterEach(() => rm(folder, { recursive: true }));

/** The ConfigError of a role that is taken. */
async function refusal(promise: Promise<unknown>): Promise<ConfigError> {
  const error = await thrown(promise);
  expect(error).toBeInstanceOf(ConfigError);
  return error as ConfigError;
}

test("lockRole() refuses the role to a second taker in the same process, naming the holder", async () => {
  const lock = await lockRole(folder, "weather", "consumer", { url: "http://127.0.0.1:3000" });
  const error = await refusal(lockRole(folder, "weather", "consumer"));
  expect(error.code).toBe("locked");
  for (const part of ['"consumer"', '"weather"', folder, `process ${process.pid}`, "http://127.0.0.1:3000"])
    expect(error.message).toContain(part);
  expect(error.hint).toBeDefined();
  lock.release();
});

test("lockRole() gives other roles and other data sets", async () => {
  const locks = await Promise.all([
    lockRole(folder, "weather", "consumer"),
    lockRole(folder, "weather", "producer"),
    lockRole(folder, "simulated", "consumer"),
  ]);
  for (const lock of locks) lock.release();
});

test("release() gives the role back, once", async () => {
  const first = await lockRole(folder, "weather", "consumer");
  first.release();
  expect(await holderOf(folder, "weather", "consumer")).toBeNull();
  const second = await lockRole(folder, "weather", "consumer");
  first.release();
  expect(await holderOf(folder, "weather", "consumer")).toEqual({ pid: process.pid, url: null });
  second.release();
});

test("holderOf() tells who holds the role now, and leaves no trace where nobody ever did", async () => {
  expect(await holderOf(folder, "weather", "consumer")).toBeNull();
  expect(await readdir(folder)).toEqual([]);
  const lock = await lockRole(folder, "weather", "consumer");
  expect(await holderOf(folder, "weather", "consumer")).toEqual({ pid: process.pid, url: null });
  lock.announce("http://127.0.0.1:4321");
  expect(await holderOf(folder, "weather", "consumer")).toEqual({
    pid: process.pid,
    url: "http://127.0.0.1:4321",
  });
  expect((await refusal(lockRole(folder, "weather", "consumer"))).code).toBe("locked"); // looking frees nothing
  lock.release();
});

test("holderOf() and lockRole() say what they know when the holder's own file is broken", async () => {
  const lock = await lockRole(folder, "weather", "consumer");
  await writeFile(join(folder, "locks", "weather.consumer.json"), "{");
  expect(await holderOf(folder, "weather", "consumer")).toEqual({ pid: null, url: null });
  expect((await refusal(lockRole(folder, "weather", "consumer"))).message).toContain(
    "another process holds it",
  );
  lock.release();
});

test("a role is freed by the death of its process", async () => {
  const child = Bun.spawn(
    [
      process.execPath,
      "-e",
      `import { lockRole } from ${JSON.stringify(join(import.meta.dir, "../../jobs/role-lock.ts"))};
       await lockRole(${JSON.stringify(folder)}, "weather", "consumer", { url: "http://127.0.0.1:1" });
       Bun.gc(true);
       console.log("locked");
       setInterval(() => {}, 1_000);`,
    ],
    { stdout: "pipe", stderr: "inherit" },
  );
  const { value } = await child.stdout.getReader().read();
  expect(new TextDecoder().decode(value)).toBe("locked\n");
  expect(await holderOf(folder, "weather", "consumer")).toEqual({
    pid: child.pid,
    url: "http://127.0.0.1:1",
  });
  const error = await refusal(lockRole(folder, "weather", "consumer"));
  expect(error.message).toContain(`process ${child.pid} (http://127.0.0.1:1) holds it`);

  child.kill("SIGKILL");
  await child.exited;
  expect(await holderOf(folder, "weather", "consumer")).toBeNull();
  const lock = await lockRole(folder, "weather", "consumer");
  expect(await holderOf(folder, "weather", "consumer")).toEqual({ pid: process.pid, url: null });
  lock.release();
});

test("a folder that cannot be used and a name that is no file name are wrong settings", async () => {
  await writeFile(join(folder, "file"), "");
  expect((await refusal(lockRole(join(folder, "file"), "weather", "consumer"))).code).toBe("bad_setting");
  expect((await refusal(lockRole(folder, "../weather", "consumer"))).code).toBe("bad_setting");
  expect((await refusal(holderOf(folder, "weather", "a/b"))).code).toBe("bad_setting");
});
