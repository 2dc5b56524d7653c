import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../../core/clock.ts";
import { silentLogger } from "../../../core/log.ts";
import { hdfsServer, type HdfsServer } from "../../../deploy/cluster/hdfs.ts";
import { claimDataset } from "../../../jobs/dataset.ts";
import { LakeReader } from "../../../jobs/readers/lake-reader.ts";
import { Supervisor } from "../../../jobs/supervisor.ts";
import { verifyPartition } from "../../../jobs/verify.ts";
import { rowsOf } from "../../../spark/arrow.ts";
import { loadConfig } from "../../../server/config/config.ts";
import { openPorts, type Ports } from "../../../server/wiring/ports.ts";
import { storageJobs } from "../../../server/wiring/storage-jobs.ts";
import { JUDGING } from "../../support/judging.ts";

/** Where this file's servers begin: only one other test starts some there, and never at the same time. */
const BASE_PORT = 30_000;
/** The DataNode's disk. On Hadoop's defaults a DataNode takes a block of 128 MB when a gigabyte is left beside it. */
const DISK_MB = 1_400;
/** What is taken of it: the DataNode itself refuses first; then the NameNode, because there is no room for a block. */
const BALLASTS_MB = [400, 1_340];
const NO_SPACE = / in HDFS: no DataNode (has the space for it|takes it: their disks are full)/;
const LIMIT_MS = 300_000;

const deps = { clock: systemClock, logger: silentLogger };
const folder = await mkdtemp(join(tmpdir(), "isobar-full-"));
const disk = join(folder, "hdfs", "datanode-1");
await mkdir(disk, { recursive: true });
/** A disk of its own for the DataNode, so that no other gets full. */
const isMounted =
  Bun.spawnSync(["mount", "-t", "tmpfs", "-o", `size=${DISK_MB}m`, "isobar-test", disk]).exitCode === 0;

let hdfs: HdfsServer | undefined;
let ports: Ports | undefined;

beforeAll(async () => {
  if (!isMounted) return;
  hdfs = await hdfsServer({ folder: join(folder, "hdfs"), dataNodes: 1, basePort: BASE_PORT });
  await hdfs.start();
}, LIMIT_MS);
afterAll(async () => {
  await ports?.close();
  await hdfs?.stop();
  if (isMounted) Bun.spawnSync(["umount", disk]);
  await rm(folder, { recursive: true, force: true });
}, LIMIT_MS);

/** Looks again and again at what no event tells. */
async function until(what: string, look: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + LIMIT_MS / 3;
  while (!(await look())) {
    if (Date.now() > end) throw new Error(`Waited in vain: ${what}`);
    await Bun.sleep(50);
  }
}

/** Record number `i`: its temperature. */
const record = (i: number) => ({
  key: "Bern",
  value: JSON.stringify({
    timestamp: new Date(Date.UTC(2026, 0, 31) + i * 60_000).toISOString().replace(".000Z", "Z"),
    city: "Bern",
    temperature: i / 100,
    source: "test",
  }),
});

test.skipIf(!isMounted)(
  `a full disk: the consumer says so, waits, and commits everything once there is room${isMounted ? "" : " (skipped: no file system can be mounted here)"}`,
  async () => {
    const { config } = loadConfig(
      {
        DATA_DIR: join(folder, "data"),
        WEBHDFS_URL: hdfs!.webUrl,
        HDFS_URI: hdfs!.uri,
        HDFS_USER: hdfs!.user,
        FLUSH_SECONDS: "0.2",
      },
      { isTerminal: false },
    );
    ports = await openPorts(config, "full", deps);
    const { lake, log, reads } = ports;
    await claimDataset(lake, "full", "observed", systemClock.now());
    const supervisor = new Supervisor(deps);
    for (const job of storageJobs(ports, config, { judging: JUDGING, ...deps })) supervisor.add(job);
    supervisor.start();
    const consumer = () => supervisor.status().find(({ name }) => name === "consumer")!;
    const reader = new LakeReader(lake, log.topic, Date.now);
    const committed = async () => {
      await reader.refresh();
      return reader.states.get(0)?.next ?? 0;
    };
    let appended = 0;
    const append = async (count: number) => {
      await log.append(Array.from({ length: count }, () => record(appended++)));
    };

    const temperatures = async () => {
      const sql = "SELECT temperature FROM observations ORDER BY temperature";
      const table = await reader.read(undefined, ({ snapshot }) => reads.query(sql, { snapshot }));
      return rowsOf(table).map(({ temperature }) => Number(temperature));
    };

    await append(500);
    await until("the first records are committed", async () => (await committed()) === appended);

    for (const megabytes of BALLASTS_MB) {
      const before = await committed();
      const ballast = join(disk, "ballast");
      expect(Bun.spawnSync(["fallocate", "-l", `${megabytes}M`, ballast]).exitCode).toBe(0);
      await append(500);
      await until("the consumer says that there is no space", () => NO_SPACE.test(consumer().reason ?? ""));
      expect(consumer().state).toBe("failed");
      expect(await committed()).toBe(before);
      // What it cannot store waits in the log, and what is stored can still be read.
      await append(500);
      expect(await temperatures()).toHaveLength(before);
      await rm(ballast);
      await until("everything is committed", async () => (await committed()) === appended);
    }
    await until("the consumer works", () => consumer().state === "running");
    expect(await supervisor.stop(30_000)).toEqual({ late: [] });
    const proof = await verifyPartition(lake, log, reads, 0);
    expect(proof).toMatchObject({ problems: [], behind: 0, rows: appended, duplicates: 0, rejected: 0 });
    expect(await temperatures()).toEqual(Array.from({ length: appended }, (_, i) => i / 100));
  },
  LIMIT_MS,
);
