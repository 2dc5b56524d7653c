import { jarsOf } from "./jars.ts";
import { type CommandResult, runJava } from "./java-process.ts";

/** Kafka's own command line tools: the newest version that is published. The broker's jars are without them. */
const KAFKA_TOOLS = "org.apache.kafka:kafka-tools:4.3.1";

/**
 * Runs one of Kafka's own command line tools.
 *
 * @param name its class in `org.apache.kafka.tools`: `TopicCommand`, `consumer.ConsoleConsumer`
 * @param options.cwd its working folder
 * @param options.timeoutMs how long it may take
 * @throws IsobarError of {@link jarsOf}
 */
export async function kafkaTool(
  name: string,
  args: readonly string[],
  options: { cwd: string; timeoutMs: number },
): Promise<CommandResult> {
  const jars = await jarsOf("kafka-tools", [{ id: KAFKA_TOOLS }]);
  const main = `org.apache.kafka.tools.${name}`;
  return runJava({ jars, jvm: ["-Xmx512m"], main, args, cwd: options.cwd }, options.timeoutMs);
}
