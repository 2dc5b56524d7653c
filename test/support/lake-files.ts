import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Row } from "../../core/observation.ts";
import { formatTimestamp, HOUR_MS } from "../../core/time.ts";
import type { Snapshot, SnapshotFile, WritingEngine } from "../../spark/engine.ts";

/** Midnight UTC of a winter day: where the rows of these tests begin. */
export const START = Date.UTC(2026, 0, 1);

/** A row with everything in it but the optional fields; it arrives when it is observed. */
export function row(changes: Partial<Row> = {}): Row {
  const timestamp = changes.timestamp ?? formatTimestamp(START);
  return {
    timestamp,
    city: "London",
    temperature: 5.5,
    humidity: 80,
    pressure: 1013.2,
    wind_speed: 3.1,
    rainfall: 0,
    weather_main: "Clouds",
    weather_description: "broken clouds",
    source: "test",
    log_offset: 0,
    ingested_at: timestamp,
    ...changes,
  };
}

/** Numbers in [0, 1) that are the same for the same seed (a linear congruential generator, Numerical Recipes). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
}

/**
 * Observations of three cities as they come: two sources, every 20 to 40 minutes, with gaps of a few hours, values that are
 * missing, faults, and revisions at the end. City C reports a few hours only and no rain.
 */
export function observations(days: number, seed = 1): { rows: Row[]; newest: Row[] } {
  const random = randomFrom(seed);
  const rows: Row[] = [];
  const unlessMissing = (share: number, value: number) =>
    random() < share ? null : Math.round(value * 100) / 100;
  for (const [index, city] of ["A", "B", "C"].entries()) {
    const end = START + (city === "C" ? 5 * HOUR_MS : days * 24 * HOUR_MS);
    for (let ms = START + index * 60_000; ms < end; ms += Math.round(1200 + 1200 * random()) * 1000) {
      if (random() < 0.01) ms += 4 * HOUR_MS;
      const hour = (ms / HOUR_MS) % 24;
      const fault = random() < 0.005 ? 20 : 0;
      rows.push(
        row({
          city,
          source: random() < 0.5 ? "one" : "two",
          timestamp: formatTimestamp(ms),
          temperature: unlessMissing(0.05, 10 + index + 5 * Math.sin(hour / 4) + 3 * random() + fault),
          humidity: unlessMissing(0.05, 60 + 30 * random()),
          pressure: unlessMissing(0.05, 1000 + 20 * random()),
          wind_speed: unlessMissing(0.05, 8 * random()),
          rainfall: city === "C" ? null : unlessMissing(0.3, 2 * random()),
          weather_main:
            random() < 0.1 ? null : (["Clear", "Clouds", "Rain"][Math.floor(3 * random())] ?? null),
        }),
      );
    }
  }
  const newest = [...rows];
  for (let i = 0; i < newest.length; i += 50) {
    newest[i] = { ...(newest[i] as Row), temperature: Math.round(1000 * random()) / 100, rainfall: 9 };
    rows.push(newest[i] as Row);
  }
  rows.forEach((one, offset) => (one.log_offset = offset));
  return { rows, newest };
}

/** A folder for the files of one test file. */
export class LakeFolder {
  readonly path: string;
  #count = 0;

  private constructor(path: string) {
    this.path = path;
  }

  /** Makes a folder in the system's place for temporary ones. */
  static async make(): Promise<LakeFolder> {
    return new LakeFolder(await mkdtemp(join(tmpdir(), "isobar-test-")));
  }

  /** Writes rows of one day as the consumer does. */
  async jsonl(
    rows: readonly Row[],
    options: { revisions?: number; name?: string } = {},
  ): Promise<SnapshotFile> {
    const location = join(this.path, options.name ?? `${this.#count++}.jsonl`);
    await writeFile(location, rows.map((one) => `${JSON.stringify(one)}\n`).join(""));
    return {
      location,
      format: "jsonl",
      date: rows[0]?.timestamp.slice(0, 10) ?? "2026-01-01",
      rows: rows.length,
      revisions: options.revisions ?? 0,
    };
  }

  /** Writes files as one Parquet file of the engine's own making. */
  async parquet(
    engine: Pick<WritingEngine, "compact">,
    files: readonly SnapshotFile[],
  ): Promise<SnapshotFile> {
    const { bytes, rows } = await engine.compact({ files });
    const location = join(this.path, `${this.#count++}.parquet`);
    await writeFile(location, bytes);
    const revisions = files.reduce((sum, file) => sum + file.revisions, 0);
    return { location, format: "parquet", date: files[0]?.date ?? "2026-01-01", rows, revisions };
  }

  /** Writes rows of any days: a file a day, the later half of its rows one of its own. */
  async snapshot(rows: readonly Row[]): Promise<Snapshot> {
    const seen = new Set<string>();
    const days = new Map<string, { rows: Row[]; revisions: number }[]>();
    for (const one of [...rows].sort((a, b) => a.log_offset - b.log_offset)) {
      const day = one.timestamp.slice(0, 10);
      const files = days.get(day) ?? [
        { rows: [], revisions: 0 },
        { rows: [], revisions: 0 },
      ];
      days.set(day, files);
      const file = files[one.log_offset > rows.length / 2 ? 1 : 0];
      if (file === undefined) continue;
      const identity = `${one.source} ${one.city} ${one.timestamp}`;
      if (seen.has(identity)) file.revisions++;
      seen.add(identity);
      file.rows.push(one);
    }
    const files: SnapshotFile[] = [];
    for (const parts of days.values()) {
      for (const part of parts) if (part.rows.length > 0) files.push(await this.jsonl(part.rows, part));
    }
    return { files };
  }

  /** Deletes it. */
  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}
