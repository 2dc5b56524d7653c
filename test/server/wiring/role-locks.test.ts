import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { codeOf } from "../../../core/errors.ts";
import { holderOf, lockRole } from "../../../jobs/role-lock.ts";
import { loadConfig } from "../../../server/config/config.ts";
import { lockRoles } from "../../../server/wiring/role-locks.ts";

const ROLES = ["producer", "consumer", "analytics", "web"] as const;
const HERE = { folder: "/somewhere" };
const IN_HDFS = { folder: null };
const KAFKA = { KAFKA_BROKERS: "127.0.0.1:9092" };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "isobar-role-locks-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const configOf = (env: object = {}) => loadConfig({ DATA_DIR: folder, ...env }, { isTerminal: false }).config;
const heldRoles = async () => {
  const held: string[] = [];
  for (const role of ROLES) if ((await holderOf(folder, "mine", role)) !== null) held.push(role);
  return held;
};

describe("lockRoles()", () => {
  test.each([
    ["an embedded log and lake", {}, HERE, ["producer", "consumer", "analytics"]],
    ["an embedded log and HDFS", {}, IN_HDFS, ["producer", "consumer"]],
    ["Kafka and an embedded lake", KAFKA, HERE, ["consumer", "analytics"]],
    ["Kafka and HDFS", KAFKA, IN_HDFS, []],
  ])("with %s takes the roles that write what is embedded", async (_, env, lake, wanted) => {
    const locks = await lockRoles(configOf(env), "mine", lake, ROLES);
    expect(await heldRoles()).toEqual(wanted);
    locks.announce("http://127.0.0.1:1/");
    for (const role of wanted)
      expect(await holderOf(folder, "mine", role)).toEqual({ pid: process.pid, url: "http://127.0.0.1:1/" });
    locks.release();
    expect(await heldRoles()).toEqual([]);
  });

  test("takes no role that is not played", async () => {
    const locks = await lockRoles(configOf(), "mine", HERE, ["analytics", "web"]);
    expect(await heldRoles()).toEqual(["analytics"]);
    locks.release();
  });

  test("holds none where one is taken", async () => {
    const other = await lockRole(folder, "mine", "consumer");
    expect(await lockRoles(configOf(), "mine", HERE, ROLES).catch(codeOf)).toBe("locked");
    expect(await heldRoles()).toEqual(["consumer"]);
    other.release();
  });
});
