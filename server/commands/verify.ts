import { codeOf, messageOf } from "../../core/errors.ts";
import { systemClock } from "../../core/clock.ts";
import { newId } from "../../core/random.ts";
import { LakeReader } from "../../jobs/readers/lake-reader.ts";
import { keepProof } from "../../jobs/proofs.ts";
import { verifyPartition, type PartitionProof } from "../../jobs/verify.ts";
import { openDataset, runCommand, textTable } from "./command.ts";

const USAGE = `Proves for each partition that log = rows + duplicates + rejected, and that every committed file is whole. What it found
is kept in the lake in place of the proof before, and shown on the page /pipeline.

  bun run verify [--dataset NAME] [--files]

  --dataset NAME  the data set (default: DATASET, else "observed" or "simulated", whichever is there)
  --files         prints the committed files for outside readers, one a line, and does nothing else

Exit: 0 proved, 1 not, 2 a wrong call.`;

if (import.meta.main) {
  await runCommand(
    USAGE,
    { dataset: { type: "string" }, files: { type: "boolean" } },
    async ({ config, logger, options }) => {
      const named = typeof options.dataset === "string" ? options.dataset : config.dataset;
      const ports = await openDataset("verify", named, { config, logger });
      try {
        if (options.files === true) {
          const reader = new LakeReader(ports.lake, ports.log.topic, Date.now);
          const { snapshot } = await reader.snapshot();
          process.stdout.write(snapshot.files.map((file) => `${file.location}\n`).join(""));
          return 0;
        }
        const startedMs = systemClock.now();
        const proofs: PartitionProof[] = [];
        for (let partition = 0; partition < ports.log.partitions; partition++) {
          proofs.push(await verifyPartition(ports.lake, ports.log, ports.reads, partition));
        }
        process.stdout.write(`${describeProofs(ports.log.topic, proofs)}\n`);
        try {
          await keepProof(ports.lake, { startedMs, id: newId() }, proofs);
        } catch (error) {
          // What was proved is proved; the pages go on showing the proof before.
          logger.warn("Cannot keep the proof in the lake", { code: codeOf(error), reason: messageOf(error) });
        }
        return proofs.every((proof) => proof.problems.length === 0) ? 0 : 1;
      } finally {
        await ports.close();
      }
    },
  );
}

/** The table that `verify` prints, and its verdict. */
export function describeProofs(topic: string, proofs: readonly PartitionProof[]): string {
  const header = [
    "partition",
    "log",
    "consumed",
    "rows",
    "duplicates",
    "rejected",
    "behind",
    "compared",
    "files",
    "bytes",
    "verdict",
  ];
  const table = textTable(
    header,
    proofs.map((proof) => [
      proof.partition,
      `${proof.low}–${proof.high}`,
      proof.rows + proof.duplicates + proof.rejected,
      proof.rows,
      proof.duplicates,
      proof.rejected,
      proof.behind,
      proof.compared,
      proof.files,
      proof.bytes,
      proof.problems.length === 0 ? "equal" : "NOT EQUAL",
    ]),
  );
  const problems = proofs.flatMap((proof) =>
    proof.problems.map((problem) => `  partition ${proof.partition}: ${problem}`),
  );
  const good = problems.length === 0;
  return [
    `Log and lake of ${topic}`,
    table,
    good ? "log = rows + duplicates + rejected" : `${problems.length} problems:`,
    ...problems,
    ...proofs.flatMap(({ partition, retractions }) =>
      retractions.map(
        ({ source, first, last, rows, at, reason }) =>
          `  partition ${partition}: ${rows} of the rows are retracted: ${source}, offsets ${first}–${last}, on ${at}: ${reason}`,
      ),
    ),
  ].join("\n");
}
