import { systemClock } from "../../core/clock.ts";
import { ConfigError } from "../../core/errors.ts";
import { describe } from "../../core/observation.ts";
import { DATASET_KINDS, type DatasetKind } from "../../core/dataset-kind.ts";
import { claimDataset } from "../../jobs/dataset.ts";
import { datasetLake } from "../wiring/lakes.ts";
import { runCommand } from "./command.ts";
import { datasetNamed } from "./replay.ts";

const USAGE = `Makes a data set in the lake when it is not there: its folder, and the note that says what it holds.

  bun run lake:init [--dataset NAME] [--kind KIND]

  --dataset NAME  the data set (default: DATASET, else the kind's name)
  --kind KIND     observed (default), simulated or replayed; data of different kinds never mix

In HDFS (WEBHDFS_URL) the folder lies below HDFS_ROOT, which HDFS_USER must be allowed to write; else in DATA_DIR. Once it
is there, another call changes nothing.

Exit: 0 it is there, 1 the lake is away or cannot be written, 2 a wrong call or setting, or data of another kind.`;

if (import.meta.main) {
  await runCommand(
    USAGE,
    { dataset: { type: "string" }, kind: { type: "string" } },
    async ({ config, logger, words, options }) => {
      if (words.length > 0)
        throw new ConfigError(
          "bad_setting",
          `Cannot make a data set of "${words[0]}": wanted --dataset NAME\n\n${USAGE}`,
        );
      const kind = kindNamed(options.kind ?? "observed");
      const dataset = datasetNamed(options.dataset ?? config.dataset ?? kind);
      const { lake } = await datasetLake(config, dataset, { clock: systemClock, logger }).open();
      const note = await claimDataset(lake, dataset, kind, systemClock.now());
      process.stdout.write(
        `The data set "${dataset}" is there (${lake.kind}): ${note.kind} data, since ${note.created_at}\n  ${lake.locate("dataset.json")}\n`,
      );
      return 0;
    },
  );
}

function kindNamed(option: unknown): DatasetKind {
  const kind = DATASET_KINDS.find((one) => one === option);
  if (kind === undefined) {
    throw new ConfigError(
      "bad_setting",
      `Cannot use --kind ${describe(option)}: wanted ${DATASET_KINDS.join(", ").replace(/, (?=\w+$)/, " or ")}`,
    );
  }
  return kind;
}
