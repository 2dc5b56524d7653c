import { describe, expect, test } from "bun:test";
import type { Actor } from "./actor.ts";
import {
  checkpointer,
  compactor,
  judge,
  reader,
  retractor,
  sweeper,
  writer,
  type WriterOptions,
} from "./actors.ts";
import { explore, type Scenario } from "./explorer.ts";
import { report } from "./report.ts";

// What is bounded, in all of them: the log has 1 to 4 offsets, an actor has one or two lives, a compactor and a
// checkpointer do their work once or twice, a reader reads once or twice; files of a delete go in the order named. A
// scenario of many actors takes some operations together (`grain`) or limits how often an actor is left for another
// (`switches`). A lost answer is that of a create; of a put or delete it would be the same as a crash behind it.
const twoOffsets = (name: string, options: Partial<WriterOptions> = {}): Actor =>
  writer(name, { offsets: 2, ...options });
const oneBatch = (name: string, options: Partial<WriterOptions> = {}): Actor =>
  twoOffsets(name, { sizes: [2], ...options });
const hourOf = (offset: number) => (offset < 2 ? "2026-01-01T00" : "2026-01-01T01");

/** The second row is of a day whose flags depend on nothing of the first. */
const dayOf = (offset: number) => (offset === 1 ? "2026-01-03T00" : "2026-01-01T00");

const SCENARIOS: Record<string, Scenario> = {
  "two writers with batches of any size, a crash": {
    offsets: 2,
    crashes: 1,
    actors: [twoOffsets("w1", { sizes: [1, 2], lives: 2 }), twoOffsets("w2", { sizes: [1, 2] })],
  },
  "two writers, a crash, a lost answer, a late request": {
    offsets: 1,
    crashes: 1,
    lostAnswers: 1,
    lateRequests: 1,
    actors: [writer("w1", { offsets: 1, lives: 2 }), writer("w2", { offsets: 1 })],
  },
  "two writers, a checkpointer": {
    offsets: 2,
    actors: [twoOffsets("w1"), twoOffsets("w2"), checkpointer("k1")],
  },
  "a writer, a checkpointer that works twice, a reader": {
    offsets: 2,
    actors: [twoOffsets("w1"), checkpointer("k1", { times: 2, grain: "acts" }), reader("r1")],
  },
  "two writers, a checkpointer, a reader that reads on": {
    offsets: 1,
    actors: [
      writer("w1", { offsets: 1, grain: "acts" }),
      writer("w2", { offsets: 1, grain: "acts" }),
      checkpointer("k1"),
      reader("r1", { files: false }),
    ],
  },
  "a writer, a compactor, a reader, each operation a step": {
    offsets: 2,
    actors: [
      oneBatch("w1", { grain: "operations" }),
      compactor("c1", { grain: "operations" }),
      reader("r1", { grain: "operations" }),
    ],
  },
  "a writer, two compactors, each operation a step": {
    offsets: 2,
    actors: [
      oneBatch("w1"),
      compactor("c1", { grain: "operations" }),
      compactor("c2", { grain: "operations" }),
    ],
  },
  "a writer, two compactors of two hours": {
    offsets: 4,
    actors: [
      writer("w1", { offsets: 4, sizes: [4], hourOf, grain: "acts" }),
      compactor("c1"),
      compactor("c2", { grain: "acts" }),
    ],
  },
  "a writer, two compactors, a crash, a lost answer": {
    offsets: 2,
    crashes: 1,
    lostAnswers: 1,
    actors: [oneBatch("w1"), compactor("c1", { lives: 2 }), compactor("c2", { grain: "acts" })],
  },
  "two writers, a compactor, a crash": {
    offsets: 2,
    crashes: 1,
    actors: [oneBatch("w1"), oneBatch("w2"), compactor("c1", { lives: 2 })],
  },
  "two writers, a compactor, a crash, a lost answer": {
    offsets: 2,
    crashes: 1,
    lostAnswers: 1,
    actors: [
      oneBatch("w1", { grain: "acts" }),
      oneBatch("w2", { grain: "acts" }),
      compactor("c1", { grain: "acts" }),
    ],
  },
  "two writers, a compactor, a sweeper of the same hour": {
    offsets: 2,
    actors: [
      oneBatch("w1", { grain: "reads" }),
      oneBatch("w2", { grain: "acts" }),
      compactor("c1", { grain: "acts" }),
      sweeper("s1"),
    ],
  },
  "two writers, a compactor, a late request": {
    offsets: 2,
    lateRequests: 1,
    actors: [
      oneBatch("w1", { grain: "acts" }),
      oneBatch("w2", { grain: "acts" }),
      compactor("c1", { grain: "acts" }),
    ],
  },
  "a writer, a compactor, a late request": {
    offsets: 2,
    lateRequests: 1,
    actors: [oneBatch("w1", { lives: 2 }), compactor("c1", { lives: 2 })],
  },
  "a writer that makes its own checkpoints, a compactor": {
    offsets: 3,
    actors: [writer("w1", { offsets: 3, checkpointAfter: 2 }), compactor("c1")],
  },
  "a writer, a compactor, a checkpointer": {
    offsets: 3,
    actors: [
      writer("w1", { offsets: 3, grain: "acts" }),
      compactor("c1", { grain: "acts" }),
      checkpointer("k1", { grain: "acts" }),
    ],
  },
  "two writers, a retractor": {
    offsets: 2,
    actors: [twoOffsets("w1", { grain: "acts" }), twoOffsets("w2", { grain: "acts" }), retractor("x1")],
  },
  "a writer, a retractor, a crash": {
    offsets: 2,
    crashes: 1,
    actors: [twoOffsets("w1", { lives: 2 }), retractor("x1", { lives: 2 })],
  },
  "a writer, two retractors, a lost answer": {
    offsets: 2,
    lostAnswers: 1,
    actors: [twoOffsets("w1", { grain: "acts" }), retractor("x1"), retractor("x2")],
  },
  "a writer, a retractor, a checkpointer, a late request": {
    offsets: 2,
    lateRequests: 1,
    actors: [
      twoOffsets("w1", { grain: "acts" }),
      retractor("x1", { grain: "acts" }),
      checkpointer("k1", { grain: "acts" }),
    ],
  },
  "a writer, a retractor, a compactor, a reader": {
    offsets: 3,
    actors: [
      writer("w1", { offsets: 3, sizes: [2], grain: "acts" }),
      retractor("x1", { grain: "acts" }),
      compactor("c1", { grain: "acts" }),
      reader("r1", { rounds: 1, grain: "acts" }),
    ],
  },
  "a writer, a judge, a compactor": {
    offsets: 3,
    actors: [
      writer("w1", { offsets: 3, grain: "acts" }),
      judge("j1", { rounds: 2, grain: "acts" }),
      compactor("c1", { grain: "acts" }),
    ],
  },
  "a writer of two days, a judge, a checkpointer": {
    offsets: 3,
    actors: [
      writer("w1", { offsets: 3, hourOf: dayOf, grain: "acts" }),
      judge("j1", { rounds: 2, grain: "acts" }),
      checkpointer("k1", { grain: "acts" }),
    ],
  },
  "a writer, two judges, a crash, a lost answer": {
    offsets: 2,
    crashes: 1,
    lostAnswers: 1,
    actors: [
      twoOffsets("w1", { grain: "acts" }),
      judge("j1", { lives: 2, grain: "acts" }),
      judge("j2", { grain: "acts" }),
    ],
  },
  "a writer, a judge, a retractor, a late request": {
    offsets: 2,
    lateRequests: 1,
    actors: [
      twoOffsets("w1", { grain: "acts" }),
      judge("j1", { rounds: 2, grain: "acts" }),
      retractor("x1", { grain: "acts" }),
    ],
  },
  "all five, any two switches": { offsets: 2, switches: 2, actors: allFive() },
  "all five, a crash, a lost answer, any switch": {
    offsets: 2,
    crashes: 1,
    lostAnswers: 1,
    switches: 1,
    actors: allFive(),
  },
};

function allFive(): Actor[] {
  return [
    oneBatch("w1", { grain: "acts" }),
    oneBatch("w2", { grain: "acts" }),
    compactor("c1", { grain: "acts" }),
    checkpointer("k1", { grain: "acts" }),
    reader("r1", { rounds: 1 }),
  ];
}

describe("the commit protocol keeps its promises in every order of", () => {
  for (const [name, scenario] of Object.entries(SCENARIOS)) {
    test(
      name,
      async () => {
        const began = performance.now();
        const exploration = await explore(scenario);
        const seconds = ((performance.now() - began) / 1000).toFixed(1);
        console.log(`${String(exploration.states).padStart(7)} states, ${seconds.padStart(4)} s: ${name}`);
        expect(exploration.violation === undefined ? "" : report(exploration)).toBe("");
        expect(exploration.complete).toBeGreaterThan(0);
      },
      120_000,
    );
  }
});
