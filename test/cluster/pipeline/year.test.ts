import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { silentLogger } from "../../../core/log.ts";
import { LakeReader } from "../../../jobs/readers/lake-reader.ts";
import { Results } from "../../../jobs/analytics/results.ts";
import { rowsOf } from "../../../spark/arrow.ts";
import { readSqlJobs } from "../../../spark/sql-job.ts";
import { spawnProgram } from "../../support/running.ts";
import { expectRows } from "../../spark/reference.ts";
import {
  answers,
  openDataset,
  stored,
  testCluster,
  type OpenedDataset,
  type TestCluster,
} from "./cluster.ts";
import { NEWEST, plainSql, totalsSql } from "./plain-sql.ts";

/** A year of hourly observations of 24 cities, in the raw record's schema. It is no part of the project. */
const FILE =
  process.env.YEAR_FILE ?? resolve(import.meta.dir, "../../../../shared/data/owm_hourly_24_cities.jsonl.gz");
const there = existsSync(FILE);
const missing = there ? "" : ` (skipped: ${FILE} is not there; YEAR_FILE names it)`;

const CITIES = 24;
const DATASET = "year";
const MINUTES = 60_000;

let cluster: TestCluster;
/** One data set by the same commands, embedded and on the servers. */
let embedded: Operated;
let onServers: Operated;

interface Operated {
  /** Runs a command to its end, which must be a good one, and gives what it printed. */
  run(command: string, args?: string[]): Promise<string>;
  open(): Promise<OpenedDataset>;
}

function operated(dataDir: string, servers: Record<string, string>): Operated {
  return {
    async run(command, args = []) {
      const env = { ...servers, DATA_DIR: dataDir, SHUTDOWN_SECONDS: "300" };
      const words = [...args, "--dataset", DATASET];
      const { code, out, err } = await spawnProgram(`server/commands/${command}.ts`, env, words).ended;
      expect([command, code, code === 0 ? "" : `${out}${err}`]).toEqual([command, 0, ""]);
      return out;
    },
    open: () => openDataset(servers, dataDir, DATASET),
  };
}

beforeAll(async () => {
  if (!there) return;
  cluster = await testCluster();
  embedded = operated(join(cluster.folder, "embedded"), {});
  // Every partition has files of its own for each hour: with the usual four all of it takes four times as long.
  const servers = { ...cluster.env("kafka", "hdfs", "spark"), KAFKA_PARTITIONS: "1" };
  onServers = operated(join(cluster.folder, "operator"), servers);
}, 10 * MINUTES);
afterAll(async () => {
  await cluster?.end();
}, 2 * MINUTES);

/** Runs `action` over both, opened. */
async function compare(action: (here: OpenedDataset, there: OpenedDataset) => Promise<void>): Promise<void> {
  const here = await embedded.open();
  try {
    const other = await onServers.open();
    try {
      await action(here, other);
    } finally {
      await other.ports.close();
    }
  } finally {
    await here.ports.close();
  }
}

test.skipIf(!there)(
  `a year is replayed through Kafka into HDFS, and every observation of it is stored as the embedded program stores it${missing}`,
  async () => {
    const lines = new TextDecoder()
      .decode(Bun.gunzipSync(await Bun.file(FILE).bytes()))
      .trimEnd()
      .split("\n");
    const said = `${lines.length} records into the data set "${DATASET}": ${lines.length} rows, 0 duplicates, 0 rejected`;
    for (const { run } of [embedded, onServers]) {
      expect(await run("replay", [FILE])).toStartWith(said);
      expect(await run("verify")).toEndWith("log = rows + duplicates + rejected\n");
    }
    await compare(async (here, other) => {
      const [wanted, found] = [await stored(here), await stored(other)];
      expect(found.length).toBe(lines.length);
      expect(found.filter((row, index) => row !== wanted[index]).slice(0, 3)).toEqual([]);
    });
  },
  60 * MINUTES,
);

test.skipIf(!there)(
  `\`analytics\` keeps the same rows of every job from Spark as from the embedded engine${missing}`,
  async () => {
    for (const { run } of [embedded, onServers]) await run("analytics");
    await compare(async (here, other) => {
      const kept = async ({ ports }: OpenedDataset, job: string) => {
        const result = await new Results({ lake: ports.lake, logger: silentLogger }).latest(job);
        return result!;
      };
      for (const { name } of await readSqlJobs()) {
        const [wanted, found] = [await kept(here, name), await kept(other, name)];
        expect([wanted.engine.split(" ")[0], found.engine.split(" ")[0]]).toEqual(["DuckDB", "Spark"]);
        expect(found.rows_read).toBe(wanted.rows_read);
        expect(wanted.table.numRows, name).toBeGreaterThan(0);
        expectRows(rowsOf(found.table), rowsOf(wanted.table));
      }
    });
  },
  60 * MINUTES,
);

test.skipIf(!there)(
  `every job that has parameters gives the same rows over all hours of the year as well${missing}`,
  async () => {
    await compare(async (here, other) => {
      const [wanted, found] = [await answers(here, "everything"), await answers(other, "everything")];
      for (const [job, rows] of wanted) {
        expect(rows.length, job).toBeGreaterThanOrEqual(CITIES);
        expectRows(found.get(job)!, rows);
      }
    });
  },
  60 * MINUTES,
);

test.skipIf(!there)(
  `a plain Spark SQL session over what \`verify --files\` prints reads the same totals of every city${missing}`,
  async () => {
    const files = (await onServers.run("verify", ["--files"])).trimEnd().split("\n");
    const found = await plainSql(cluster, files, totalsSql(NEWEST));
    const here = await embedded.open();
    try {
      const reader = new LakeReader(here.ports.lake, here.ports.log.topic, Date.now);
      const { snapshot } = await reader.snapshot();
      const wanted = rowsOf(await here.ports.engine.query(totalsSql("observations"), { snapshot }));
      expect(wanted.length).toBe(CITIES);
      expectRows(found, wanted);
    } finally {
      await here.ports.close();
    }
  },
  60 * MINUTES,
);
