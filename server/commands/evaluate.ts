import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { ConfigError } from "../../core/errors.ts";
import { describe } from "../../core/observation.ts";
import { openDuckDb } from "../../spark/duckdb.ts";
import { evaluateAnomalies } from "../../jobs/evaluate/anomalies.ts";
import type { EvaluationContext, Section } from "../../jobs/evaluate/context.ts";
import { evaluateForecast } from "../../jobs/evaluate/forecast.ts";
import { evaluateQuality } from "../../jobs/evaluate/quality.ts";
import { runCommand } from "./command.ts";

const USAGE = `Measures quality control, anomalies and forecasts on recorded observations, and writes what it found.

  bun run evaluate [--data FOLDER] [--only PART] [--out FILE] [--peers]

  --data FOLDER  where the recorded observations lie (default: ../shared/data)
  --only PART    PARTS; it prints, and writes no file unless one is named
  --out FILE     the report (default: docs/evaluation.md)
  --peers        runs other people's programs beside, where they are installed

Exit: 0 done, 1 otherwise, 2 a wrong call or no data.`;

/** The parts of the evaluation, in the order of the report. */
const PARTS: Readonly<Record<string, (context: EvaluationContext) => Promise<Section>>> = {
  quality: evaluateQuality,
  anomalies: evaluateAnomalies,
  forecast: evaluateForecast,
};

if (import.meta.main) {
  await runCommand(
    USAGE.replace(
      "PARTS",
      Object.keys(PARTS)
        .join(", ")
        .replace(/, (?=\w+$)/, " or "),
    ),
    {
      data: { type: "string" },
      only: { type: "string" },
      out: { type: "string" },
      peers: { type: "boolean" },
    },
    async ({ options, words }) => {
      if (words.length > 0)
        throw new ConfigError("bad_setting", `Cannot evaluate "${words[0]}": wanted --only PART\n\n${USAGE}`);
      const only = options.only === undefined ? Object.keys(PARTS) : [String(options.only)];
      const out = options.out ?? (options.only === undefined ? "docs/evaluation.md" : null);
      const report = await evaluate(only, {
        dataFolder: resolve(String(options.data ?? "../shared/data")),
        peers: options.peers === true,
        log: (line) => process.stderr.write(`${line}\n`),
      });
      process.stdout.write(report);
      if (typeof out === "string") await Bun.write(resolve(out), report);
      return 0;
    },
  );
}

/**
 * Runs parts of the evaluation, one after the other, on an engine of their own.
 *
 * @returns the report, as Markdown
 * @throws ConfigError for a part that is not known, or when the data is not there
 */
export async function evaluate(
  parts: readonly string[],
  given: Pick<EvaluationContext, "dataFolder" | "peers" | "log">,
): Promise<string> {
  const runs = parts.map((name) => {
    const run = PARTS[name];
    if (run === undefined) {
      throw new ConfigError(
        "bad_setting",
        `Cannot evaluate ${describe(name)}: wanted one of ${Object.keys(PARTS).join(", ")}`,
      );
    }
    return [name, run] as const;
  });
  const folder = await mkdtemp(join(tmpdir(), "isobar-evaluate-"));
  try {
    const files = join(folder, "files");
    await mkdir(files);
    const engine = await openDuckDb({ tempFolder: join(folder, "engine"), folders: [files] });
    try {
      const context: EvaluationContext = { ...given, engine, folder: files };
      const sections: Section[] = [];
      for (const [name, run] of runs) {
        const started = performance.now();
        sections.push(await run(context));
        given.log(`${name}: ${((performance.now() - started) / 1000).toFixed(0)} s`);
      }
      return reportOf(engine.name, sections);
    } finally {
      await engine.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function reportOf(engine: string, sections: readonly Section[]): string {
  const parts = sections.map(({ title, markdown }) => `## ${title}\n\n${markdown}\n`);
  return `# Evaluation\n\nWritten by \`bun run evaluate\` on ${engine}: every figure below is of that run.\n\n${parts.join("\n")}`;
}
