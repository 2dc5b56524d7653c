import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { sha256Hex } from "../../core/checksum.ts";
import { spawnProgram } from "../support/running.ts";

const USAGE = `Usage: bun run test:fuzz [--examples N] [--seconds N] [--seed N]

Starts the program on loopback with simulated weather in a temporary folder, and lets schemathesis ask it whatever its OpenAPI
document allows, and what it does not allow. Fails where an answer is a 5xx or not as described.

  --examples N  requests an endpoint and phase, at most (default 40)
  --seconds N   for the whole run, at most (default 240)
  --seed N      the same seed asks the same (default 1)

Python 3.10 or later is needed; schemathesis is installed from PyPI into ~/.cache/isobar-venv-fuzz.
Exit: 0 nothing was found or there is no Python, 1 something was found, 2 the call is wrong.`;

const VERSION = "4.32.5";
const VENV = join(homedir(), ".cache/isobar-venv-fuzz");
const CHECKS = [
  "not_a_server_error",
  "status_code_conformance",
  "content_type_conformance",
  "response_schema_conformance",
];
/** A station's key, so that the paths of stations are there. */
const KEY = "2345678abcdefgh2345678ab";
/** Time that the run may take beyond what schemathesis is told, ms. */
const GRACE_MS = 120_000;

/** Runs a command and passes on what it prints. */
async function run(command: readonly string[], options: { quiet?: boolean; cwd?: string; ms?: number } = {}) {
  const child = Bun.spawn([...command], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    timeout: options.ms ?? 300_000,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  if (options.quiet !== true) process.stdout.write(`${out}${err}`);
  return { code, out, err };
}

/** The command of schemathesis; or why there is none. */
async function schemathesis(): Promise<{ command: string } | { missing: string }> {
  const command = join(VENV, "bin/schemathesis");
  if (existsSync(command)) return { command };
  const python = Bun.which("python3");
  if (python === null) return { missing: "there is no python3" };
  const made = await run([python, "-m", "venv", VENV], { quiet: true });
  if (made.code !== 0) return { missing: `python3 cannot make a virtual environment: ${made.err.trim()}` };
  const installed = await run([join(VENV, "bin/pip"), "install", "--quiet", `schemathesis==${VERSION}`], {
    quiet: true,
  });
  if (installed.code !== 0) return { missing: `schemathesis cannot be installed: ${installed.err.trim()}` };
  return { command };
}

/** What of the report of a run is told. */
interface Counted {
  requests: number;
  endpoints: Set<string>;
  statuses: Map<string, number>;
}

/** Counts what the events of a run tell of its requests. */
function count(text: string): Counted {
  const counted: Counted = { requests: 0, endpoints: new Set(), statuses: new Map() };
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const event = JSON.parse(line) as { ScenarioFinished?: Scenario };
    const { recorder } = event.ScenarioFinished ?? {};
    for (const { response } of Object.values(recorder?.interactions ?? {})) {
      counted.requests++;
      const status = response === null ? "none" : String(response.status_code);
      counted.statuses.set(status, (counted.statuses.get(status) ?? 0) + 1);
      counted.endpoints.add(recorder?.label ?? "");
    }
  }
  return counted;
}

interface Scenario {
  recorder: {
    label: string;
    interactions: Record<string, { response: { status_code: number } | null }>;
  };
}

async function main(): Promise<number> {
  let options: { examples: string; seconds: string; seed: string };
  try {
    const { values } = parseArgs({
      options: {
        examples: { type: "string", default: "40" },
        seconds: { type: "string", default: "240" },
        seed: { type: "string", default: "1" },
        help: { type: "boolean", default: false },
      },
    });
    if (values.help) {
      console.log(USAGE);
      return 0;
    }
    options = values;
    for (const name of ["examples", "seconds", "seed"] as const) {
      if (!/^[1-9]\d{0,6}$/.test(options[name]))
        throw new TypeError(`--${name} is ${options[name]}, wanted a number from 1 on`);
    }
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return 2;
  }
  const found = await schemathesis();
  if ("missing" in found) {
    console.log(`skipped: API fuzzing (${found.missing})`);
    return 0;
  }
  const folder = await mkdtemp(join(tmpdir(), "isobar-fuzz-"));
  const stations = join(folder, "stations.json");
  const period = { from: "2026-01-01", latitude: 51.5, longitude: -0.1 };
  await Bun.write(
    stations,
    JSON.stringify([{ id: "garden", city: "London", key_sha256: sha256Hex(KEY), periods: [period] }]),
  );
  // Else no request would get beyond the key.
  await Bun.write(
    join(folder, "schemathesis.toml"),
    `[parameters]\n"path.key" = "${KEY}"\n"query.PASSWORD" = "${KEY}"\n"query.ID" = "garden"\n`,
  );
  // Rules can be made; messages go nowhere, because an address of this machine needs an allowance of its own.
  const alerts = join(folder, "alerts.json");
  const channels = [{ name: "ops", type: "webhook", url: "http://127.0.0.1:1/" }];
  await Bun.write(alerts, JSON.stringify({ channels, rules: [] }));
  const program = spawnProgram("server/main.ts", {
    DATA_DIR: folder,
    STATIONS_FILE: stations,
    ALERTS_FILE: alerts,
  });
  try {
    // A machine that is busy takes longer to start it than a test would wait.
    const url = (await program.url().catch(() => program.url())).href;
    const report = join(folder, "events.ndjson");
    const parts: string[][] = [
      [found.command, "run", `${url}api/openapi.json`, "--checks", CHECKS.join(",")],
      // The stream never ends.
      ["--exclude-path", "/live", "--phases", "examples,coverage,fuzzing"],
      ["--max-examples", options.examples, "--max-time", options.seconds, "--seed", options.seed],
      ["--request-timeout", "60", "--suppress-health-check", "all", "--continue-on-failure"],
      ["--report", "ndjson", "--report-ndjson-path", report, "--no-color"],
    ];
    const { code } = await run(parts.flat(), {
      cwd: folder,
      ms: Number(options.seconds) * 1000 + GRACE_MS,
    });
    const { requests, endpoints, statuses } = count(await Bun.file(report).text());
    const told = [...statuses].sort().map(([status, times]) => `${times} × ${status}`);
    console.log(`\n${requests} requests to ${endpoints.size} endpoints: ${told.join(", ")}`);
    const errors = program
      .err()
      .split("\n")
      .filter((line) => line.includes('"level":"error"'));
    for (const line of errors) console.log(line);
    const fine = code === 0 && errors.length === 0 && requests > 0;
    console.log(
      fine
        ? "API fuzzing: nothing found"
        : `API fuzzing: FAILED (schemathesis ended with ${code}, ${errors.length} errors logged)`,
    );
    return fine ? 0 : 1;
  } finally {
    await program[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  }
}

if (import.meta.main) process.exit(await main());
