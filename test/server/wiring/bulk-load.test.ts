import { describe, expect, test } from "bun:test";
import { systemClock } from "../../../core/clock.ts";
import { silentLogger } from "../../../core/log.ts";
import { formatTimestamp, HOUR_MS } from "../../../core/time.ts";
import type { NewRecord } from "../../../jobs/log/log.ts";
import { simulatedRecords, syntheticCities } from "../../../jobs/sources/simulator.ts";
import { verifyPartition } from "../../../jobs/verify.ts";
import { loadConfig } from "../../../server/config/config.ts";
import { loadRecords } from "../../../server/wiring/bulk-load.ts";
import { openPorts } from "../../../server/wiring/ports.ts";
import { rejection } from "../../jobs/sources/provider.ts";
import { QUICK, temporaryFolder } from "../../support/running.ts";

const start = Date.UTC(2026, 0, 1);
const cities = syntheticCities(20);

/** A day of 20 cities, every ten minutes. */
async function* day(): AsyncGenerator<NewRecord[]> {
  yield* simulatedRecords({ cities, from: start, to: start + 24 * HOUR_MS, stepMs: 600_000, seed: 7 });
}
const DAY = 20 * 24 * 6;

async function* once(...records: object[]): AsyncGenerator<NewRecord[]> {
  yield records.map((record) => ({ key: "", value: JSON.stringify(record) }));
}

async function opened(dataDir: string) {
  const { config } = loadConfig({ ...QUICK, DATA_DIR: dataDir, FLUSH_SECONDS: "0.1" }, { isTerminal: false });
  const ports = await openPorts(config, "replayed", { clock: systemClock, logger: silentLogger });
  const load = (chunks: AsyncIterable<NewRecord[]>, signal: AbortSignal = new AbortController().signal) =>
    loadRecords({ ports, config, clock: systemClock, logger: silentLogger, chunks, signal });
  return { ports, load };
}

describe("loadRecords()", () => {
  test("reports rows, duplicates and rejected; the same again adds no row; verify agrees", async () => {
    await using folder = await temporaryFolder();
    const { ports, load } = await opened(folder.path);
    try {
      expect(await load(day())).toMatchObject({ records: DAY, rows: DAY, duplicates: 0, rejected: 0 });
      expect(await load(day())).toMatchObject({ records: DAY, rows: 0, duplicates: DAY, rejected: 0 });
      const observation = { timestamp: formatTimestamp(start), city: "Bern", source: "roof", temperature: 1 };
      const mixed = once(
        observation,
        observation,
        { ...observation, temperature: 2 },
        { ...observation, temperature: 1 }, // taken back: a revision again
        { ...observation, city: 7 },
      );
      const report = await load(mixed);
      expect(report).toMatchObject({ records: 5, rows: 3, duplicates: 1, rejected: 1 });
      expect(report.seconds).toBeGreaterThan(0);
      const proof = await verifyPartition(ports.lake, ports.log, ports.engine, 0);
      expect(proof).toMatchObject({
        problems: [],
        behind: 0,
        rows: DAY + 3,
        duplicates: DAY + 1,
        rejected: 1,
      });
    } finally {
      await ports.close();
    }
  });

  test("of no records reports none", async () => {
    await using folder = await temporaryFolder();
    const { ports, load } = await opened(folder.path);
    try {
      expect(await load(once())).toMatchObject({ records: 0, rows: 0, duplicates: 0, rejected: 0 });
    } finally {
      await ports.close();
    }
  });

  test("ends early when it is stopped, with everything committed that was appended", async () => {
    await using folder = await temporaryFolder();
    const { ports, load } = await opened(folder.path);
    const stop = new AbortController();
    async function* stopped(): AsyncGenerator<NewRecord[]> {
      for await (const chunk of day()) {
        yield chunk;
        stop.abort();
      }
    }
    try {
      const report = await load(stopped(), stop.signal);
      expect(report.records).toBe(1_000);
      const { high } = await ports.log.bounds(0);
      expect(high).toBe(1_000);
    } finally {
      await ports.close();
    }
    const again = await opened(folder.path);
    try {
      await again.load(once());
      const proof = await verifyPartition(again.ports.lake, again.ports.log, again.ports.engine, 0);
      expect(proof).toMatchObject({ problems: [], behind: 0, rows: 1_000 });
    } finally {
      await again.ports.close();
    }
  });

  test("passes on what the chunks fail on, and keeps what came before", async () => {
    await using folder = await temporaryFolder();
    const { ports, load } = await opened(folder.path);
    async function* broken(): AsyncGenerator<NewRecord[]> {
      for await (const chunk of day()) {
        yield chunk;
        throw new RangeError("the file ends here");
      }
    }
    try {
      expect((await rejection(load(broken()))).message).toBe("the file ends here");
      expect(await load(day())).toMatchObject({ records: DAY, duplicates: 1_000, rows: DAY - 1_000 });
    } finally {
      await ports.close();
    }
  });

  test("fails with the reason when the consumer cannot go on", async () => {
    await using folder = await temporaryFolder();
    const first = await opened(folder.path);
    await first.load(day());
    await first.ports.close();
    const logs = new Bun.Glob("log/*").scanSync({ cwd: folder.path });
    for (const path of logs) await Bun.file(`${folder.path}/${path}`).delete();
    const { ports, load } = await opened(folder.path);
    try {
      const error = await rejection(load(once({ city: "Bern" })));
      expect(error.code).toBe("consumer_failed");
      expect(error.message).toContain("the log is not the one the lake was filled from");
    } finally {
      await ports.close();
    }
  });
});
