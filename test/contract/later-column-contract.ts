import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Row } from "../../core/observation.ts";
import { rowsOf } from "../../spark/arrow.ts";
import type { Engine, SnapshotFile, WritingEngine } from "../../spark/engine.ts";
import { LakeFolder, row } from "../support/lake-files.ts";
import { LATER_COLUMN, NewerProgram } from "../support/newer-program.ts";

/** An engine for one suite, and how it is ended. */
type Opened = Promise<{ engine: Engine; writer: WritingEngine; cleanup(): Promise<void> }>;

/**
 * What every engine promises about files with and without a column that came later, read by the program that knows the column
 * and by the one before it.
 *
 * @param open makes an engine of this program
 * @param openNewer makes the same engine of a newer one
 */
export function laterColumnContract(
  name: string,
  open: () => Opened,
  openNewer: (program: NewerProgram) => Opened,
): void {
  describe(`the engine ${name}, with a column more in some files`, () => {
    let folder: LakeFolder;
    let program: NewerProgram;
    let older: Awaited<Opened>;
    let newer: Awaited<Opened>;
    /** Of both programs, in both formats. The first day has a revision. */
    let files: SnapshotFile[];

    const columns = [LATER_COLUMN];
    /** The rows of each file: the later column is `undefined` where the program that wrote them did not know it. */
    const fileRows = {
      oldParquet: [rowAt(1, 1, "Oslo", 1), rowAt(1, 2, "Rome", 2)],
      oldJsonl: [rowAt(2, 3, "Oslo", 3)],
      newJsonl: [rowAt(1, 4, "Oslo", 4, 0.5), rowAt(1, 5, "Bern", 5)],
      newParquet: [rowAt(2, 6, "Rome", 6, 11.25), rowAt(2, 7, "Bern", 7)],
    };
    const everyRow = Object.values(fileRows)
      .flat()
      .map((one) => ({ [LATER_COLUMN]: null, ...one }))
      .map(({ log_offset, city, temperature, [LATER_COLUMN]: later }) => ({
        log_offset,
        city,
        temperature,
        later,
      }))
      .sort((a, b) => a.log_offset - b.log_offset);
    const newestRows = everyRow.filter(({ log_offset }) => log_offset !== 1);
    /** As the older program sees them. */
    const known = (rows: typeof everyRow) =>
      rows.map(({ log_offset, city, temperature }) => ({ log_offset, city, temperature }));

    beforeAll(async () => {
      folder = await LakeFolder.make();
      program = await NewerProgram.make();
      older = await open();
      newer = await openNewer(program);
      const jsonl = (rows: readonly Row[], options = {}) => folder.jsonl(rows, options);
      files = [
        await folder.parquet(older.writer, [await jsonl(fileRows.oldParquet)]),
        await jsonl(fileRows.oldJsonl),
        { ...(await jsonl(fileRows.newJsonl, { revisions: 1 })), columns },
        { ...(await folder.parquet(newer.writer, [await jsonl(fileRows.newParquet)])), columns },
      ];
    });
    afterAll(async () => {
      await older.cleanup();
      await newer.cleanup();
      await program.remove();
      await folder.remove();
    });

    const read = async (
      engine: Engine,
      of: readonly SnapshotFile[],
      what: string,
      from: "observations" | "same" = "observations",
    ) => {
      const sql = `SELECT log_offset, city, temperature${what} FROM ${from} ORDER BY log_offset`;
      const views = [{ name: "same", sql: "SELECT * FROM observations" }];
      return rowsOf(await engine.query(sql, { snapshot: { files: of }, views }));
    };
    const withLater = `, ${LATER_COLUMN} AS later`;
    const unrevised = () => files.map((file) => ({ ...file, revisions: 0 }));
    /** Whichever comes first: some readers take the columns of the first file for those of all. */
    const orders = () => [files, files.toReversed()];

    test("query() of the newer gives null where a file lacks it, and its values elsewhere", async () => {
      for (const ordered of orders()) {
        expect(await read(newer.engine, ordered, withLater)).toEqual(newestRows);
        expect(await read(newer.engine, ordered, withLater, "same")).toEqual(newestRows);
      }
      expect(await read(newer.engine, unrevised(), withLater)).toEqual(everyRow);
    });

    test("query() of the newer reads files that all lack it", async () => {
      const found = await read(newer.engine, files.slice(0, 2), withLater);
      expect(found).toEqual(everyRow.filter(({ log_offset }) => log_offset <= 3));
    });

    test("query() of the older reads the files that have it, and does not see it", async () => {
      for (const ordered of orders()) {
        expect(await read(older.engine, ordered, "")).toEqual(known(newestRows));
        expect(await read(older.engine, ordered, "", "same")).toEqual(known(newestRows));
      }
      const all = await older.engine.query("SELECT * FROM observations", { snapshot: { files } });
      expect(all.schema.names as string[]).not.toContain(LATER_COLUMN);
    });

    test("compact() of the newer makes one file of all, with every value", async () => {
      for (const ordered of [unrevised(), unrevised().toReversed()]) {
        const one = { ...(await folder.parquet(newer.writer, ordered)), columns };
        expect(one.rows).toBe(everyRow.length);
        expect(await read(newer.engine, [one], withLater)).toEqual(everyRow);
        expect(await read(older.engine, [one], "")).toEqual(known(everyRow));
      }
    });

    test("query() of the newer reads its file of an older's rows alone, as one with the column", async () => {
      const one = { ...(await folder.parquet(newer.writer, files.slice(0, 2))), columns };
      const found = await read(newer.engine, [one, ...files.slice(2)], withLater);
      expect(found).toEqual(newestRows);
    });
  });
}

/** A row of a January day at midnight, as its program stores it. */
function rowAt(day: number, offset: number, city: string, temperature: number, later?: number): Row {
  const stored = row({ timestamp: `2026-01-0${day}T00:00:00Z`, city, temperature, log_offset: offset });
  return later === undefined ? stored : ({ ...stored, [LATER_COLUMN]: later } as Row);
}
