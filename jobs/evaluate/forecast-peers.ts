import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { RollingForecast } from "../../spark/models/rolling-forecast.ts";
import { LEADS } from "../../spark/models/temperature-forecaster.ts";
import { markdownTable } from "../../core/markdown.ts";

import type { CityHours } from "./forecast-origins.ts";

/** What one of statsforecast's models forecast. */
interface PeerForecasts {
  name: string;
  /** Wall time for all histories. */
  seconds: number;
  /** Of each history, one temperature a lead. */
  forecasts: readonly (readonly number[])[];
}

/** One origin: what was known, and what came. */
interface Origin {
  history: number[];
  outcomes: number[];
}

/** The release that is compared with. */
const PACKAGE = "statsforecast==2.1.1";
const FOLDER = join(homedir(), ".cache", "isobar-venv-evaluate");
const DAY = 24;
/** Hours of history that all get. */
const HISTORY = 60 * DAY;
const CITIES = 8;
const ORIGINS = 10;
/** Leads that means are taken over. */
const MEANS = [24, 48] as const;

/**
 * Our forecasts beside those of statsforecast (PyPI, Nixtla): 8 cities, 10 origins each, spread evenly over the time that is
 * scored, the same 60 days of history for all.
 *
 * @returns paragraphs of Markdown
 * @throws Error when there is no Python 3, or the package cannot be installed or fails
 */
export async function comparePeers(
  cities: readonly CityHours[],
  log: (line: string) => void,
): Promise<string[]> {
  const every = cities.length / CITIES;
  const chosen = Array.from({ length: CITIES }, (_, i) => cities[Math.floor((i + 0.5) * every)]!);
  const origins = chosen.flatMap(originsOf);
  const histories = origins.map(({ history }) => history);
  const start = performance.now();
  const own = histories.map(ownForecast);
  const seconds = (performance.now() - start) / 1000;
  const { version, models } = await askPeers(histories, log);
  const all: PeerForecasts[] = [{ name: "Isobar", seconds, forecasts: own }, ...models];
  const errors = all.map(({ forecasts }) => MEANS.map((leads) => meanError(origins, forecasts, leads)));
  const rows = all.map(({ name, seconds }, i) => [
    name,
    ...errors[i]!.map((error) => error.toFixed(2)),
    `${seconds.toFixed(1)} s`,
  ]);
  const [mine = [], ...others] = errors;
  const ahead = MEANS.every((_, i) => others.every((error) => mine[i]! < error[i]!));
  return [
    `Beside statsforecast ${version}: ${CITIES} cities, ${ORIGINS} origins each, 60 days of history for all, one run. ` +
      `MAE in °C over all leads. Ahead of its best model: ${ahead ? "yes" : "NO"}. ` +
      `Cities: ${chosen.map(({ city }) => city).join(", ")}. The time of Isobar includes its intervals: the forecasts of all ` +
      `hours of the 60 days.`,
    markdownTable(["Model", ...MEANS.map((leads) => `1–${leads} h`), "Time"], rows),
  ];
}

/** Origins spread evenly, a step of no whole days, so that the hours of the day differ. */
function originsOf({ values }: CityHours): Origin[] {
  const step = Math.floor((values.length - HISTORY - LEADS) / ORIGINS / DAY) * DAY + 7;
  return Array.from({ length: ORIGINS }, (_, i) => {
    const end = Math.min(HISTORY + i * step, values.length - LEADS);
    return {
      history: withoutGaps(values.subarray(end - HISTORY, end)),
      outcomes: [...values.subarray(end, end + LEADS)],
    };
  });
}

/** Missing hours on a straight line between their neighbours: the peers take no gaps. */
function withoutGaps(values: Float64Array): number[] {
  const filled = [...values];
  for (let i = 0; i < filled.length; i++) {
    if (!Number.isNaN(filled[i])) continue;
    let next = i;
    while (Number.isNaN(filled[next])) next++;
    const [before, after] = [filled[i - 1] ?? filled[next], filled[next] ?? filled[i - 1]];
    filled[i] = before! + (after! - before!) / (next - i + 1);
  }
  return filled;
}

function ownForecast(history: readonly number[]): number[] {
  const forecast = new RollingForecast();
  for (const [hour, temperature] of history.entries()) forecast.observe(hour, temperature);
  return [...forecast.latest!.temperature];
}

function meanError(
  origins: readonly Origin[],
  forecasts: readonly (readonly number[])[],
  leads: number,
): number {
  let [sum, n] = [0, 0];
  for (const [i, { outcomes }] of origins.entries()) {
    for (let lead = 0; lead < leads; lead++) {
      if (Number.isNaN(outcomes[lead])) continue;
      sum += Math.abs(forecasts[i]![lead]! - outcomes[lead]!);
      n++;
    }
  }
  return sum / n;
}

/** Makes the environment of Python when it is not there, some 600 MB, and asks statsforecast's models. */
async function askPeers(
  histories: readonly (readonly number[])[],
  log: (line: string) => void,
): Promise<{ version: string; models: PeerForecasts[] }> {
  const python = join(FOLDER, "bin", "python");
  const ready = join(FOLDER, "ready");
  if (!existsSync(ready) || (await Bun.file(ready).text()) !== PACKAGE) {
    log(`installing ${PACKAGE}`);
    await run(["python3", "-m", "venv", "--clear", FOLDER]);
    await run([python, "-m", "pip", "install", "--quiet", PACKAGE]);
    await Bun.write(ready, PACKAGE);
  }
  log(`statsforecast over ${histories.length} histories; MSTL takes minutes`);
  const script = join(import.meta.dir, "statsforecast_peer.py");
  const answer = await run([python, script], JSON.stringify({ leads: LEADS, season: DAY, histories }));
  return JSON.parse(answer) as { version: string; models: PeerForecasts[] };
}

async function run(command: readonly string[], input = ""): Promise<string> {
  const child = Bun.spawn([...command], { stdin: Buffer.from(input), stdout: "pipe", stderr: "pipe" });
  const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  if (code === 0) return out;
  throw new Error(
    `Cannot compare with statsforecast: ${command.join(" ")} ended with ${code}: ${err.trim()}`,
  );
}
