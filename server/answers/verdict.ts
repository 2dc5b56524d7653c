import type { Place } from "../../core/city.ts";
import { isSilence } from "../../core/quality.ts";
import { DAY_MS, HOUR_MS, parseTimestamp } from "../../core/time.ts";
import type { UnjudgedCity, UnusualNow, Verdict, VerdictFacts } from "../../core/verdict.ts";
import { formatCount, formatDate, formatNumber } from "../../views/format.ts";
import { judgementsIn, type JudgedReport } from "./judged-reports.ts";
import type { CurrentObservation, Services } from "./services.ts";
import { USUAL_DAYS, usualDays } from "./usual-days.ts";

/** Bounds are those of an hour of the day: after one they say nothing of now. */
const NOW_MS = HOUR_MS;
/** Most names in a sentence; more are counted. */
const NAMED = 2;

/**
 * What can be said now of some cities, all by default, and the words for it.
 *
 * @param asOf what counts as now, ms
 */
export function verdictNow(
  services: Services,
  asOf: number,
  places: readonly Pick<Place, "name">[] = services.cities(),
): Verdict {
  return inWords(factsOf(services, asOf, places));
}

/**
 * Whether the live judge could judge the newest report of a city by season and hour. What it looked at before the usual
 * temperatures were computed it looks at no more, so a "no" says nothing while the result of `anomalies` knows better.
 */
function isJudgedLive({ judgement }: CurrentObservation): boolean {
  const usual = judgement?.usual ?? null;
  return usual !== null && usual.status !== "insufficient data";
}

function factsOf(services: Services, asOf: number, places: readonly Pick<Place, "name">[]): VerdictFacts {
  const { kind, staleAfterSeconds } = services.about;
  const isRecording = kind === "replayed";
  const current = new Map(services.current().map((entry) => [entry.observation.city, entry]));
  const result = services.analytics.result("anomalies");
  const judged = Map.groupBy(result === null ? [] : judgementsIn(result.table), ({ city }) => city);
  const facts: VerdictFacts = {
    asOf,
    isRecording,
    cities: places.length,
    late: [],
    silent: [],
    unusual: [],
    judged: 0,
    unjudged: [],
  };
  for (const { name } of places) {
    const entry = current.get(name);
    if (entry === undefined) {
      facts.silent.push(name);
      continue;
    }
    const rows = judged.get(name) ?? [];
    const isLate = asOf - parseTimestamp(entry.observation.timestamp) > staleAfterSeconds * 1000;
    if (isLate) facts.late.push(name);
    const isJudged = isJudgedLive(entry) || rows.some((row) => row.isNewest && row.isJudged);
    if (isJudged) facts.judged++;
    else if (!isLate) facts.unjudged.push(unjudged(services, entry, isRecording));
    facts.unusual.push(...unusualOf(entry, rows, asOf));
  }
  return facts;
}

/** What is unusual about a city now: the live judge's word of its newest report, and what the last hour of the result has. */
function unusualOf(entry: CurrentObservation, rows: readonly JudgedReport[], asOf: number): UnusualNow[] {
  const { observation, judgement } = entry;
  const { city } = observation;
  const found = new Map<UnusualNow["kind"], UnusualNow>();
  const add = (kind: JudgedReport["kind"], side: UnusualNow["side"]) => {
    // A silence that lasts is a report that is late.
    if (!isSilence(kind) && !found.has(kind)) found.set(kind, { city, kind, side });
  };
  const isNow = asOf - parseTimestamp(observation.timestamp) <= NOW_MS;
  for (const { kind, observed, expected } of isNow ? (judgement?.anomalies ?? []) : []) {
    add(kind, kind === "stuck" ? null : (observed ?? 0) < (expected ?? 0) ? "below" : "above");
  }
  for (const { kind, score, time, isAnomaly, isNewest } of rows) {
    if (!isAnomaly || asOf - time > NOW_MS) continue;
    // What lasts is what the newest report says. What happened in an hour happened.
    if (kind === "unusual" && isJudgedLive(entry)) continue;
    if (kind === "stuck" && judgement !== null) continue;
    if (kind === "unusual" && !isNewest) continue;
    add(kind, kind === "stuck" ? null : (score ?? 0) < 0 ? "below" : "above");
  }
  return [...found.values()];
}

function unjudged(
  services: Services,
  { observation: { city, source, timestamp } }: CurrentObservation,
  isRecording: boolean,
): UnjudgedCity {
  const baseline = services.analytics.result("baseline");
  if (baseline === null) return { city, days: null, judgedFrom: null };
  const time = parseTimestamp(timestamp);
  const days = usualDays(baseline.table, city, source, time);
  // With days enough the next result or report is judged.
  const canBeTold = !isRecording && days < USUAL_DAYS;
  return { city, days, judgedFrom: canBeTold ? time + (USUAL_DAYS - days) * DAY_MS : null };
}

/** The facts with the sentences that say them. */
export function inWords(facts: VerdictFacts): Verdict {
  return { ...facts, ...answerOf(facts), nothing: nothingOf(facts), tooEarly: tooEarlyOf(facts) };
}

function answerOf(facts: VerdictFacts): Pick<Verdict, "answer" | "rest"> {
  const { cities, late, silent, isRecording } = facts;
  if (cities === 0 || silent.length === cities)
    return { answer: "Waiting for the first observation", rest: "" };
  const quiet = new Set([...late, ...silent]);
  const unusual = facts.unusual.filter(({ city }) => !quiet.has(city));
  const answers = unusualWords(unusual);
  if (late.length === cities) answers.push("Every city is late");
  else if (late.length > 0) {
    const [is, ends] = late.length === 1 ? ["is", "ends"] : ["are", "end"];
    answers.push(
      isRecording ? `${names(late)} ${ends} before the recording does` : `${names(late)} ${is} late`,
    );
  }
  const found = new Set(unusual.map(({ city }) => city));
  const unfound = facts.unjudged.filter(({ city }) => !found.has(city));
  const early = unfound.filter(isEarly).length;
  const pending = unfound.length - early;
  const asExpected = cities - quiet.size - found.size - unfound.length;
  const unknown =
    (early > 0 ? `, ${formatNumber(early, 0)} too early to judge${until(facts)}` : "") +
    (pending > 0 ? `, ${formatNumber(pending, 0)} not judged yet` : "");
  const others = (asExpected > 0 ? `, ${formatNumber(asExpected, 0)} as expected` : "") + unknown;
  if (answers.length > 0) return { answer: answers.join(", "), rest: others };
  if (silent.length > 0) return { answer: `${names(silent)} not heard of yet`, rest: others };
  if (asExpected > 0) {
    const where = ` in ${formatCount(asExpected, "city", "cities")}`;
    const end = isRecording ? " at the end of the recording" : "";
    return { answer: "Nothing unusual", rest: where + end + unknown };
  }
  const count = formatCount(cities, "city", "cities");
  const onTime = cities === 1 ? "1 city on time" : `All ${count} on time`;
  const answer = isRecording ? `A recording of ${count}` : onTime;
  if (early === 0) return { answer, rest: ", not judged yet" };
  if (pending > 0) return { answer, rest: unknown };
  const tooShort = ", too short to say what is unusual at its end";
  return { answer, rest: isRecording ? tooShort : `, too early to say what is unusual${until(facts)}` };
}

function unusualWords(unusual: readonly UnusualNow[]): string[] {
  const those = (kind: UnusualNow["kind"], side?: UnusualNow["side"]) =>
    unusual.filter((one) => one.kind === kind && (side === undefined || one.side === side));
  const words: string[] = [];
  const say = (found: readonly UnusualNow[], text: (cities: string) => string) => {
    if (found.length > 0) words.push(text(names(found.map(({ city }) => city))));
  };
  say(those("unusual", "above"), (cities) => `${cities} unusually warm`);
  say(those("unusual", "below"), (cities) => `${cities} unusually cold`);
  say(those("step"), (cities) => `a step in ${cities}`);
  say(those("spike"), (cities) => `a spike in ${cities}`);
  say(those("stuck"), (cities) => `${cities} stuck`);
  const [first = "", ...rest] = words;
  return first === "" ? [] : [first.charAt(0).toUpperCase() + first.slice(1), ...rest];
}

/** What to say where no anomaly is listed. Who is judged and who is not are never one. */
function nothingOf(facts: VerdictFacts): Verdict["nothing"] {
  const early = tooEarlyOf(facts);
  if (facts.judged > 0) {
    const why = "No report of the last days lies outside its bounds.";
    return { what: "Nothing unusual.", why: early === null ? why : `${why} ${early}` };
  }
  if (early !== null) return { what: "Too early to judge.", why: early };
  if (facts.unjudged.length > 0)
    return { what: "Not judged yet.", why: "It comes with the next run of the job anomalies." };
  return { what: "Nothing to judge.", why: "No city has reported of late." };
}

/** Whether the past of a city is too short. Any other that is not judged waits for the next run of a job. */
function isEarly({ days }: UnjudgedCity): boolean {
  return days !== null && days < USUAL_DAYS;
}

function tooEarlyOf(facts: VerdictFacts): string | null {
  const early = facts.unjudged.filter(isEarly);
  const known = facts.judged + facts.unjudged.length;
  const [first] = early;
  if (first === undefined) return null;
  const count = formatNumber(early.length, 0);
  const who =
    early.length === 1
      ? first.city
      : early.length === known
        ? `${count} cities`
        : `${count} of ${formatCount(known, "city", "cities")}`;
  const has = early.length === 1 ? `, of which it has ${first.days}` : "";
  return `${who} cannot be judged by season and hour${until(facts)}: that needs ${USUAL_DAYS} days with a report at the same hour${has}.`;
}

/** About when the last of those whose past is too short has enough of it; nothing of a recording. */
function until({ unjudged }: VerdictFacts): string {
  const times = unjudged.flatMap(({ judgedFrom }) => judgedFrom ?? []);
  return times.length === 0 ? "" : ` until about ${formatDate(times.reduce((a, b) => Math.max(a, b)))}`;
}

function names(list: readonly string[]): string {
  if (list.length > NAMED) return `${list.length} cities`;
  return list.join(" and ");
}
