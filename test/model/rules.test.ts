import { describe, expect, test } from "bun:test";
import { CommitError, codeOf, LakeError } from "../../core/errors.ts";
import { sha256Hex } from "../../core/checksum.ts";
import { makeCheckpoint } from "../../jobs/commits/checkpoint.ts";
import {
  chainFolder,
  decodeEntry,
  encodeEntry,
  entryPath,
  sequenceOf,
  type CheckpointEntry,
  JUDGED_FORMAT,
  type Entry,
} from "../../jobs/commits/entry.ts";
import { commitCompaction } from "../../jobs/commits/compaction.ts";
import { applyEntry, emptyState, fold, type ChainState } from "../../jobs/commits/fold.ts";
import { dataFileName, hourFolder, parseDataFileName } from "../../jobs/commits/names.ts";
import { appendEntry, ChainWriter, entryBase, type Chain } from "../../jobs/commits/writer.ts";
import type { Lake } from "../../jobs/lake/lake.ts";
import { PARTITION, TOPIC, type Actor, type Stage } from "./actor.ts";
import {
  batchOf,
  checkpointer,
  compactor,
  concatenate,
  HOUR,
  judge,
  reader,
  retractor,
  writer,
} from "./actors.ts";
import { explore, type Scenario } from "./explorer.ts";
import { report } from "./report.ts";

// Each test leaves one rule out, by other code around the exported pieces or by a lake that behaves otherwise, and wants
// the explorer to find what it prevents.

const one = (name: string) => writer(name, { offsets: 1 });
const two = (name: string) => writer(name, { offsets: 2 });
const oneBatch = (name: string) => writer(name, { offsets: 2, sizes: [2] });

/** A chain whose lake does some of its operations in another way. */
function withLake(chain: Chain, change: (lake: Lake) => Partial<Lake>): Chain {
  const { lake } = chain;
  const whole: Lake = {
    kind: lake.kind,
    put: (files) => lake.put(files),
    create: (path, bytes) => lake.create(path, bytes),
    read: (path) => lake.read(path),
    list: (folder) => lake.list(folder),
    delete: (paths) => lake.delete(paths),
    locate: (path) => lake.locate(path),
    ...change(lake),
  };
  return { ...chain, lake: whole };
}

/** Does not look again after a create: the list that follows one shows nothing newer. */
function withoutSecondLook(chain: Chain): Chain {
  let created: number | undefined;
  return withLake(chain, (lake) => ({
    async create(path, bytes) {
      await lake.create(path, bytes);
      created = sequenceOf(path.slice(path.lastIndexOf("/") + 1));
    },
    async list(folder) {
      const entries = await lake.list(folder);
      const newest = created;
      if (newest === undefined || folder !== chainFolder(TOPIC, PARTITION)) return entries;
      created = undefined;
      return entries.filter(({ name }) => (sequenceOf(name) ?? 0) <= newest);
    },
  }));
}

/** A writer of one batch after the other with its own way to append an entry. */
function writerThat(
  name: string,
  offsets: number,
  append: (chain: Chain, state: ChainState, build: (state: ChainState) => Entry) => Promise<ChainState>,
): Actor {
  return {
    name,
    async run({ chain, committed }) {
      let { state, claimSequence } = await ChainWriter.claim(chain, 0, async () => {});
      const claim = state.claim!.id;
      while (state.next! < offsets) {
        const { length } = state.retractions;
        const { batch, files } = batchOf(chain, claimSequence, state.next!, state.next!, undefined, length);
        await chain.lake.put(files);
        state = await append(chain, state, (state) => ({
          ...entryBase(chain, state),
          kind: "batch",
          claim,
          ...batch,
        }));
        committed(state.next!);
      }
    },
  };
}

/** Commits one compaction of all that is live, its own way, and deletes nothing. */
function compactorThat(
  name: string,
  append: (
    chain: Chain,
    state: ChainState,
    build: (state: ChainState) => Entry,
  ) => Promise<ChainState | null>,
): Actor {
  return {
    name,
    grain: "reads",
    async run({ chain }) {
      const state = await fold(chain.lake, TOPIC, PARTITION);
      const inputs = [...state.live.keys()];
      if (inputs.length < 2) return;
      const { bytes, rows } = await concatenate(chain, inputs);
      const { sequence } = state;
      const random = chain.newId();
      const file = dataFileName({
        topic: TOPIC,
        partition: 0,
        first: 0,
        last: rows - 1,
        sequence,
        random,
        format: "parquet",
      });
      const path = `${hourFolder(HOUR)}/${file}`;
      await chain.lake.put([{ path, bytes }]);
      const output = { path, rows, revisions: 0, bytes: bytes.length, sha256: sha256Hex(bytes) };
      const after = await append(chain, state, (state) => ({
        ...entryBase(chain, state),
        kind: "compaction",
        inputs,
        output,
      }));
      if (after !== null) await chain.lake.delete(inputs);
    },
  };
}

/** Deletes the files of an hour that `isLeftover` says nobody needs. */
function sweeperThat(name: string, isLeftover: (state: ChainState, sequence: number) => boolean): Actor {
  return {
    name,
    async run({ chain: { lake } }) {
      const folder = hourFolder(HOUR);
      const found = (await lake.list(folder)).map((entry) => `${folder}/${entry.name}`);
      const state = await fold(lake, TOPIC, PARTITION);
      const unused = found.filter((path) => !state.live.has(path) && !state.removed.has(path));
      await lake.delete(
        unused.filter((path) =>
          isLeftover(state, parseDataFileName(path.slice(path.lastIndexOf("/") + 1))!.sequence),
        ),
      );
    },
  };
}

/** Reads on by asking for the next number, without a list. */
async function foldByGetting(
  lake: Lake,
  topic: string,
  partition: number,
  known?: ChainState,
): Promise<ChainState> {
  const state = known ?? emptyState();
  for (;;) {
    const path = entryPath(topic, partition, state.sequence + 1);
    let bytes: Uint8Array;
    try {
      bytes = await lake.read(path);
    } catch (error) {
      if (codeOf(error) === "missing") return state;
      throw error;
    }
    applyEntry(state, state.sequence + 1, decodeEntry(path, bytes), `${topic}/${partition}`);
  }
}

const RULES: Record<string, { scenario: Scenario; finds: RegExp }> = {
  "create only if absent": {
    scenario: {
      offsets: 1,
      actors: ["w1", "w2"].map((name) =>
        writer(name, {
          offsets: 1,
          chain: (chain) =>
            withLake(chain, (lake) => ({ create: (path, bytes) => lake.put([{ path, bytes }]) })),
        }),
      ),
    },
    finds: /^the committed range went back from 1 to 0/,
  },
  "put the files before the entry": {
    scenario: {
      offsets: 1,
      actors: [
        {
          name: "w1",
          async run({ chain }: Stage) {
            const chainWriter = await ChainWriter.claim(chain, 0, async () => {});
            const { batch, files } = batchOf(chain, chainWriter.claimSequence, 0, 0);
            await chainWriter.commit(batch);
            await chain.lake.put(files);
          },
        },
      ],
    },
    finds: /is gone/,
  },
  "after a refused create fold anew, never just the next number": {
    scenario: {
      offsets: 1,
      actors: [
        writerThat("w1", 1, async ({ lake, ...chain }, state, build) => {
          for (;;) {
            const sequence = state.sequence + 1;
            const path = entryPath(TOPIC, PARTITION, sequence);
            const entry = build(state);
            try {
              await lake.create(path, encodeEntry(entry));
              applyEntry(state, sequence, { ...entry, kind: "claim" } as Entry, chain.topic);
              return { ...state, next: 1 };
            } catch (error) {
              if (codeOf(error) !== "exists") throw error;
              applyEntry(state, sequence, decodeEntry(path, await lake.read(path)), chain.topic);
            }
          }
        }),
        one("w2"),
      ],
    },
    finds: /its writer does not hold the claim/,
  },
  "after a refused create stop when the claim is another's": {
    scenario: {
      offsets: 2,
      actors: [
        writerThat("w1", 2, async (chain, state, build) => {
          const first = state.next!;
          const after = await appendEntry(chain, state, build, (fresh) =>
            fresh.next === first ? "again" : "give up",
          );
          if (after === null) throw new CommitError("fenced", "another went on");
          return after;
        }),
        two("w2"),
      ],
    },
    finds: /its writer does not hold the claim/,
  },
  "after a create look again": {
    scenario: {
      offsets: 3,
      actors: [
        writer("w1", { offsets: 3, sizes: [2], chain: withoutSecondLook }),
        compactor("c1", { grain: "acts" }),
      ],
    },
    finds: /takes offset 2 for committed/,
  },
  "after a time-out only the identical entry": {
    scenario: {
      offsets: 2,
      lateRequests: 1,
      actors: [
        {
          name: "w1",
          async run({ chain: given }: Stage) {
            const chain = withLake(given, (lake) => ({
              async create(path, bytes) {
                try {
                  await lake.create(path, bytes);
                } catch (error) {
                  if (codeOf(error) !== "unclear") throw error;
                  throw new LakeError("unavailable", "takes a time-out for a failure", { cause: error });
                }
              },
            }));
            const chainWriter = await ChainWriter.claim(chain, 0, async () => {});
            for (let last = 0; chainWriter.state.next! < 2; last = 1) {
              const { batch, files } = batchOf(
                chain,
                chainWriter.claimSequence,
                chainWriter.state.next!,
                last,
              );
              await chain.lake.put(files);
              await chainWriter.commit(batch).catch((error: unknown) => {
                if (codeOf(error) !== "unavailable") throw error;
              });
            }
          },
        },
      ],
    },
    finds: /Cannot commit offsets 0–1/,
  },
  "a checkpoint holds the claim": {
    scenario: {
      offsets: 2,
      actors: [
        two("w1"),
        checkpointer("k1", {
          chain: (chain) =>
            withLake(chain, (lake) => ({
              create: (path, bytes) =>
                lake.create(path, encodeEntry({ ...decodeEntry(path, bytes), claim: null } as Entry)),
            })),
        }),
      ],
    },
    finds: /only 0 of 2 offsets are committed/,
  },
  "trim only below a checkpoint that is there": {
    scenario: {
      offsets: 1,
      actors: [
        one("w1"),
        {
          name: "k1",
          async run({ chain }: Stage) {
            const state = await fold(chain.lake, TOPIC, PARTITION);
            await chain.lake.delete(
              [entryPath(TOPIC, PARTITION, state.sequence)].filter(() => state.sequence > 0),
            );
            await makeCheckpoint(chain, state);
          },
        },
      ],
    },
    finds: /^the committed range went back from 1 to 0/,
  },
  "flags are committed only while nothing has come into the time they depend on": {
    scenario: {
      offsets: 2,
      actors: [
        two("w1"),
        judge("j1", {
          grain: "acts",
          commit: (chain, state, inputs, output) => commitCompaction(chain, state, inputs, output, null),
        }),
      ],
    },
    finds: /were computed from 1-0 rows and retractions, there are 2-0/,
  },
  "flags are committed only while nothing was retracted": {
    scenario: {
      offsets: 1,
      actors: [
        one("w1"),
        retractor("x1"),
        judge("j1", {
          grain: "acts",
          commit: (chain, state, inputs, output) => commitCompaction(chain, state, inputs, output, null),
        }),
      ],
    },
    finds: /were computed from 1-0 rows and retractions, there are 1-1/,
  },
  "a checkpoint repeats flags only where they stand": {
    scenario: {
      offsets: 2,
      actors: [
        two("w1"),
        judge("j1", { grain: "acts" }),
        checkpointer("k1", {
          grain: "acts",
          chain: (chain) =>
            withLake(chain, (lake) => ({
              create(path, bytes) {
                const entry = decodeEntry(path, bytes) as CheckpointEntry;
                const live = entry.live.map((file) =>
                  file.path.endsWith(".parquet") ? { ...file, judged: "1-0" } : file,
                );
                return lake.create(path, encodeEntry({ ...entry, format: JUDGED_FORMAT, live }));
              },
            })),
        }),
      ],
    },
    finds: /were computed from 1-0 rows and retractions, there are 2-0/,
  },
  "a compaction whose create was refused looks at its inputs again": {
    scenario: {
      offsets: 2,
      actors: [
        oneBatch("w1"),
        compactor("c1", { graceMs: 1 }),
        compactorThat("c2", (chain, state, build) => appendEntry(chain, state, build, () => "again")),
      ],
    },
    finds: /which is not live/,
  },
  "a compaction looks at its inputs before the first try": {
    scenario: {
      offsets: 2,
      actors: [
        oneBatch("w1"),
        compactor("c1", { graceMs: 1 }),
        compactorThat("c2", async (chain, state, build) => {
          const newer = await fold(chain.lake, TOPIC, PARTITION, state);
          return await appendEntry(chain, newer, build, () => "give up");
        }),
      ],
    },
    finds: /which is not live/,
  },
  "names have a random part": {
    scenario: {
      offsets: 2,
      actors: [
        oneBatch("w1"),
        ...["c1", "c2"].map((name) =>
          compactor(name, {
            reversed: name === "c2", // another version of the engine writes other bytes
            chain(chain) {
              let isName = true; // a compaction's first id is its file's
              const newId = () => {
                if (!isName) return chain.newId();
                isName = false;
                return "0";
              };
              return { ...chain, newId };
            },
          }),
        ),
      ],
    },
    finds: /has another content/,
  },
  "delete only what older claims left": {
    scenario: { offsets: 1, actors: [one("w1"), sweeperThat("s1", () => true)] },
    finds: /is gone/,
  },
  "delete by a fold, not by what was to be committed": {
    scenario: {
      offsets: 3,
      actors: [
        writer("w1", { offsets: 3, sizes: [2] }),
        compactor("c1", { grain: "acts", graceMs: 1 }),
        checkpointer("k1", { grain: "acts" }),
        compactorThat("c2", (chain, state, build) =>
          appendEntry(withoutSecondLook(chain), state, build, () => "give up"),
        ),
      ],
    },
    finds: /is gone/,
  },
  "readers refresh by listing": {
    scenario: {
      offsets: 1,
      actors: [
        one("w1"),
        one("w2"),
        checkpointer("k1", { times: 2, grain: "acts" }),
        reader("r1", { files: false, grain: "operations", foldWith: foldByGetting }),
      ],
    },
    finds: /^r1 (takes offset 0 for committed|ends with: .*names another predecessor)/,
  },
  "a reader whose file is gone starts again": {
    scenario: {
      offsets: 2,
      actors: [
        oneBatch("w1"),
        compactor("c1"),
        {
          name: "r1",
          async run({ chain: { lake } }: Stage) {
            const state = await fold(lake, TOPIC, PARTITION);
            for (const path of state.live.keys()) await lake.read(path);
          },
        },
      ],
    },
    finds: /r1 ends with: Cannot read: missing/,
  },
};

RULES["a batch is made anew where rows were retracted meanwhile"] = {
  scenario: {
    offsets: 2,
    actors: [
      writerThat("w1", 2, async (chain, state, build) => {
        const { next } = state;
        const after = await appendEntry(chain, state, build, (fresh) =>
          fresh.next === next ? "again" : "done",
        );
        return after!;
      }),
      retractor("x1"),
    ],
  },
  finds: /offset 1 was joined knowing 0 retractions, 1 were made before/,
};
RULES["a retraction is planned anew where a batch was committed meanwhile"] = {
  scenario: {
    offsets: 2,
    actors: [
      two("w1"),
      {
        name: "x1",
        async run({ chain }) {
          const planned = await fold(chain.lake, TOPIC, PARTITION);
          if ((planned.next ?? 0) === 0) return;
          const build = (state: ChainState): Entry => ({
            ...entryBase(chain, state),
            format: 2,
            kind: "retraction",
            source: "s",
            first: 0,
            last: planned.next! - 1,
            next: planned.next!,
            rows: planned.next!,
            reason: "wrong",
            watermark: null,
          });
          await appendEntry(chain, planned, build, (fresh, entry) =>
            fresh.retractions.some(({ id }) => id === entry.id) ? "done" : "again",
          );
        },
      },
    ],
  },
  finds: /it was made at offset 1, wanted 2/,
};

describe("the explorer finds what goes wrong without the rule:", () => {
  for (const [rule, { scenario, finds }] of Object.entries(RULES)) {
    test(
      rule,
      async () => {
        const exploration = await explore(scenario);
        expect(report(exploration)).toMatch(finds);
        expect(exploration.violation, report(exploration)).toBeDefined();
      },
      120_000,
    );
  }

  test("(and finds nothing in the same sweeper with it)", async () => {
    const isLeftover = (state: ChainState, sequence: number) => sequence < (state.claim?.sequence ?? 0);
    const exploration = await explore({
      offsets: 1,
      actors: [one("w1"), one("w2"), sweeperThat("s1", isLeftover)],
    });
    expect(report(exploration)).toStartWith("no violation");
  });
});
