import { systemClock } from "../../core/clock.ts";
import { silentLogger } from "../../core/log.ts";
import { hdfsServer } from "../../deploy/cluster/hdfs.ts";
import { openHdfsLake } from "../../jobs/lake/hdfs.ts";
import { inParallel } from "../../jobs/lake/parallel.ts";
import { textTable } from "../../server/commands/command.ts";
import { type BenchOptions, median, shown, times, withFolder } from "./measure.ts";

const FILE_BYTES = 25_000;
const AT_ONCE = 8;
/** No other server is started there. */
const BASE_PORT = 22_000;

/** Ways to write a file: `bare` is CREATE alone, `checked` does what the lake does: CREATE, length, RENAME. */
const WAYS = ["lake", "checked", "bare"] as const;
const NAMES = {
  lake: "the lake: temporary name, length checked, renamed",
  checked: "bare fetch, the same steps",
  bare: "bare fetch, CREATE alone: a cut leaves a short file",
} as const;

/** Writes to a real HDFS with one DataNode, through the lake and by bare fetch, in turns. */
export async function benchHdfs({ quick, print }: BenchOptions): Promise<void> {
  await withFolder(async (folder) => {
    const server = await hdfsServer({ folder, dataNodes: 1, basePort: BASE_PORT });
    try {
      await server.start();
      const rest = `${server.webUrl}/webhdfs/v1`;
      const user = server.user;
      const lake = await openHdfsLake({
        urls: [server.webUrl],
        root: "/bench/lake",
        hdfsUri: server.uri,
        user,
        clock: systemClock,
        logger: silentLogger,
      });
      const bytes = crypto.getRandomValues(new Uint8Array(FILE_BYTES));
      const write = {
        lake: (name: string) => lake.put([{ path: `files/${name}`, bytes }]),
        bare: (name: string) => create(rest, user, `/bench/bare/${name}`, bytes),
        checked: async (name: string) => {
          const temporary = `/bench/.tmp/${name}`;
          await create(rest, user, temporary, bytes);
          await ask(`${rest}${temporary}?user.name=${user}&op=GETFILESTATUS`, "GET");
          const to = encodeURIComponent(`/bench/checked/${name}`);
          const query = `user.name=${user}&op=RENAME&destination=${to}&renameoptions=NONE`;
          await ask(`${rest}${temporary}?${query}`, "PUT");
        },
      };
      await ask(`${rest}/bench/checked?user.name=${user}&op=MKDIRS`, "PUT");

      const rounds = quick ? 1 : 5;
      const files = quick ? 40 : 100;
      let names = 0;
      const run = async (way: (typeof WAYS)[number], atOnce: number, count: number) => {
        const start = performance.now();
        await inParallel(
          Array.from({ length: count }, () => String(names++)),
          atOnce,
          write[way],
        );
        return (count / (performance.now() - start)) * 1_000;
      };
      // The servers compile what is used often.
      for (const way of WAYS) await run(way, AT_ONCE, files);

      const rates = new Map<string, number[]>();
      for (let round = 0; round < rounds; round++) {
        for (const atOnce of [1, AT_ONCE]) {
          for (const way of WAYS) {
            const key = `${way} ${atOnce}`;
            rates.set(key, [...(rates.get(key) ?? []), await run(way, atOnce, files)]);
          }
        }
      }
      const rate = (way: (typeof WAYS)[number], atOnce: number) => median(rates.get(`${way} ${atOnce}`)!);
      print(
        `HDFS, one DataNode: files of ${FILE_BYTES / 1_000} kB, files/s, median of ${rounds} rounds of ${files}\n`,
      );
      print(
        textTable(
          ["what", "one by one", `${AT_ONCE} at once`, "the lake's rate to it"],
          WAYS.map((way) => [
            NAMES[way],
            shown(rate(way, 1)),
            shown(rate(way, AT_ONCE)),
            [1, AT_ONCE].map((atOnce) => times(rate("lake", atOnce), rate(way, atOnce))).join(", "),
          ]),
        ),
      );
      print("");
    } finally {
      await server.stop();
    }
  });
}

async function create(rest: string, user: string, path: string, bytes: Uint8Array): Promise<void> {
  const url = `${rest}${path}?user.name=${user}&op=CREATE&overwrite=true`;
  const { headers } = await fetch(url, { method: "PUT", redirect: "manual" });
  await ask(headers.get("location")!, "PUT", bytes);
}

async function ask(url: string, method: "GET" | "PUT", body?: Uint8Array): Promise<void> {
  const response = await fetch(url, { method, ...(body === undefined ? {} : { body }) });
  const text = await response.text();
  if (!response.ok) throw new Error(`Cannot go on: ${method} ${url} answered ${response.status} ${text}`);
}
