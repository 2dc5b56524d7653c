import { resolve } from "node:path";

const USAGE = `Runs the tests against a real Kafka, HDFS and Spark of this machine. Needs Java 17 and Maven.

  bun run test:cluster [--all] [test/cluster/…] [flags of bun test]

  --all  everything: also every job on both engines, the faults, security, three nodes, the standard tools, and a year of 24
         cities where YEAR_FILE or ../shared/data has one. Without it the contracts of the three ports, and the whole
         pipeline end to end with some of the jobs

The servers are started on ports of their own by the test files, and end with them.
Exit: 0 all passed, 1 not.`;

/** Longest time of one test, ms: a server may be downloaded in it. */
const TIMEOUT_MS = 300_000;

/** What fits into a few minutes. */
const PART = [
  "test/cluster/kafka/contract",
  "test/cluster/hdfs/lake",
  "test/cluster/spark/contract",
  "test/cluster/pipeline/pipeline",
];

const given = process.argv.slice(2);
if (given.includes("--help")) {
  process.stdout.write(`${USAGE}\n`);
  process.exit(0);
}
const rest = given.filter((word) => word !== "--all");
const chosen = rest.length < given.length ? ["test/cluster"] : PART;
const paths = rest.some((word) => word.includes("test/cluster")) ? [] : chosen;
const child = Bun.spawn([process.execPath, "test", "--timeout", String(TIMEOUT_MS), ...paths, ...rest], {
  cwd: resolve(import.meta.dir, "../.."),
  stdio: ["inherit", "inherit", "inherit"],
});
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => child.kill(signal));
process.exit(await child.exited);
