import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PAUSES, REFUSED } from "./consumer-child.ts";
import { COMMITTED, ConsumerProcess, until } from "./consumer-process.ts";
import { Pipeline, rowsOf } from "./pipeline.ts";
import { openKafkaLog, type TestKafka, testKafka } from "./server.ts";

let kafka: TestKafka;
beforeAll(async () => {
  kafka = await testKafka({ basePort: 21_992 });
});
afterAll(() => kafka?.end());

const PARTITIONS = 4;
/** Time between two appends: some load, while a session runs out, ms. */
const PAUSE_MS = 200;

/** Waits until both have a half, and have committed to all of it. Returns the partitions of the first. */
async function halfEach(first: ConsumerProcess, second: ConsumerProcess): Promise<number[]> {
  const works = (consumer: ConsumerProcess) => {
    const { from, partitions } = consumer.share;
    const committed = consumer.committed(from);
    return partitions.length === PARTITIONS / 2 && partitions.every((partition) => committed.has(partition));
  };
  await until("both have and fill a half", () => works(first) && works(second), [first, second]);
  return first.share.partitions;
}

describe("a consumer that was stopped, and wakes up after another took its partitions over, commits nothing to them", () => {
  test.each([
    ["when it was about to commit", "SIGUSR2"],
    ["wherever it was", "SIGSTOP"],
  ] as const)(
    "%s; then it goes on as a member",
    async (_where, signal) => {
      const options = kafka.options({ partitions: PARTITIONS });
      const log = await openKafkaLog(options);
      const world = await Pipeline.open();
      const home = await mkdtemp(join(tmpdir(), "isobar-zombie-"));
      const [first, second] = ["first", "second"].map(
        (name) => new ConsumerProcess({ log: options, lake: world.root, folder: join(home, name) }),
      ) as [ConsumerProcess, ConsumerProcess];
      let enough = false;
      const load = (async () => {
        for (; !enough; await Bun.sleep(PAUSE_MS)) await world.send(log);
      })();
      try {
        const lost = await halfEach(first, second);
        first.signal(signal);
        await until("the first is stopped", () => first.stopped, [first]);
        const takenOver = () => {
          const { from, partitions } = second.share;
          const committed = second.committed(from);
          return partitions.length === PARTITIONS && lost.every((partition) => committed.has(partition));
        };
        await until("the second has it all, and fills what the first had", takenOver, [first, second]);

        const asleep = first.lines.length;
        if (signal === "SIGUSR2") expect(first.lines.at(-1)!.message).toBe(PAUSES);
        first.signal("SIGCONT");
        const woken = () => first.share.from >= asleep && first.share.partitions.length > 0;
        await until("the first has a share again", woken, [first, second]);
        const back = first.lines.findIndex((line, at) => at >= asleep && "ours" in line);
        const before = first.lines.slice(asleep, back);
        expect(before.filter(({ message }) => message === COMMITTED)).toEqual([]);
        if (signal === "SIGUSR2") {
          const refused = () => first.lines.some(({ message }) => message === REFUSED);
          await until("its commit is refused", refused, [first, second]);
        }
        await halfEach(first, second);

        enough = true;
        await load;
        // A row of a commit by who had lost the partition would be twice, or its entry of a claim that is not in force.
        const { rows, problems } = rowsOf(await world.settled(log, 60_000));
        expect(problems).toEqual([]);
        expect(rows.length).toBe(new Set(rows).size);
        expect(rows.toSorted()).toEqual([...world.acknowledged].sort());
        expect(await Promise.all([first.end(), second.end()])).toEqual([0, 0]);
      } finally {
        enough = true;
        await load.catch(() => {}); // what failed is thrown above
        await Promise.all([first.kill(), second.kill()]);
        await world.close();
        await log.close();
        await rm(home, { recursive: true, force: true });
      }
    },
    300_000,
  );
});
