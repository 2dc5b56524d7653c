import { systemClock } from "../../core/clock.ts";
import { ConfigError } from "../../core/errors.ts";
import { openLog } from "../wiring/ports.ts";
import { runCommand } from "./command.ts";
import { datasetNamed } from "./replay.ts";

const USAGE = `Makes the log's topic of a data set when it is not there, and says what it holds.

  bun run topic:create [--dataset NAME]

  --dataset NAME  the data set (default: DATASET, else "observed")

In Kafka (KAFKA_BROKERS) it is made with KAFKA_PARTITIONS, KAFKA_REPLICATION and LOG_RETENTION_HOURS; a topic with another
number of partitions is refused. The embedded log is a file in DATA_DIR. Once it is there, another call changes nothing.

Exit: 0 it is there, 1 the log is away or refuses it, 2 a wrong call or setting.`;

if (import.meta.main) {
  await runCommand(USAGE, { dataset: { type: "string" } }, async ({ config, logger, words, options }) => {
    if (words.length > 0)
      throw new ConfigError(
        "bad_setting",
        `Cannot make a topic of "${words[0]}": wanted --dataset NAME\n\n${USAGE}`,
      );
    const dataset = datasetNamed(options.dataset ?? config.dataset ?? "observed");
    const { log } = await openLog(config, dataset, { clock: systemClock, logger });
    try {
      const bounds = await Promise.all(
        Array.from({ length: log.partitions }, (_, partition) => log.bounds(partition)),
      );
      const lines = bounds.map(
        ({ low, high }, partition) => `  partition ${partition}: offsets ${low}–${high}`,
      );
      process.stdout.write(`The topic "${log.topic}" is there (${log.kind})\n${lines.join("\n")}\n`);
      return 0;
    } finally {
      await log.close();
    }
  });
}
