import type { Place } from "../../core/city.ts";
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
 * Whether the newest report of a city was judged by season and hour: by the live judge, or until it has looked at it by the
 * newest result of `anomalies`.
 *
 * @param newest the row of that result; undefined if it has none
 */
function isJudged({ judgement }: CurrentObservation, newest: JudgedReport | undefined): boolean {
  const usual = judgement?.usual ?? null;
  return usual === null ? (newest?.isJudged ?? false) : usual.status !== "insufficient data";
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
    if (
      isJudged(
        entry,
        rows.find(({ isNewest }) => isNewest),
      )
    )
      facts.judged++;
    else if (!isLate) facts.unjudged.push(unjudged(services, entry, isRecording));
    facts.unusual.push(...unusualOf(entry, rows, asOf));
  }
  return facts;
}

/** What is unusual about a city now: the live judge's word of its newest report, and what the last hour of the result has. */
function unusualOf(
  { observation, judgement }: CurrentObservation,
  rows: readonly JudgedReport[],
  asOf: number,
): UnusualNow[] {
  const { city } = observation;
  const found = new Map<UnusualNow["kind"], UnusualNow>();
  const add = (kind: JudgedReport["kind"], side: UnusualNow["side"]) => {
    // A silence that lasts is a report that is late.
    if (kind !== "silent" && !found.has(kind)) found.set(kind, { city, kind, side });
  };
  const isNow = asOf - parseTimestamp(observation.timestamp) <= NOW_MS;
  for (const { kind, observed, expected } of isNow ? (judgement?.anomalies ?? []) : []) {
    add(kind, kind === "stuck" ? null : (observed ?? 0) < (expected ?? 0) ? "below" : "above");
  }
  for (const { kind, score, time, isAnomaly, isNewest } of rows) {
    if (!isAnomaly || asOf - time > NOW_MS) continue;
    // What lasts is what the newest report says. What happened in an hour happened.
    const lasts = kind === "unusual" || kind === "stuck";
    if (lasts && judgement !== null) continue;
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
  const early = facts.unjudged.length;
  const found = new Set(unusual.map(({ city }) => city));
  const unfound = facts.unjudged.filter(({ city }) => !found.has(city)).length;
  const asExpected = cities - quiet.size - found.size - unfound;
  const others = [
    ...(asExpected > 0 ? [`${formatNumber(asExpected, 0)} as expected`] : []),
    ...(unfound > 0 ? [`${formatNumber(unfound, 0)} too early to judge${until(facts)}`] : []),
  ].map((text) => `, ${text}`);
  if (answers.length > 0) return { answer: answers.join(", "), rest: others.join("") };
  if (silent.length > 0) return { answer: `${names(silent)} not heard of yet`, rest: others.join("") };
  if (asExpected > 0) {
    const end = isRecording ? " at the end of the recording" : "";
    const rest = early > 0 ? others.at(-1) : "";
    return {
      answer: "Nothing unusual",
      rest: ` in ${formatCount(asExpected, "city", "cities")}${end}${rest}`,
    };
  }
  const count = formatCount(cities, "city", "cities");
  if (isRecording)
    return { answer: `A recording of ${count}`, rest: ", too short to say what is unusual at its end" };
  return {
    answer: cities === 1 ? "1 city on time" : `All ${count} on time`,
    rest: `, too early to say what is unusual${until(facts)}`,
  };
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
  return { what: "Nothing to judge.", why: "No city has reported of late." };
}

function tooEarlyOf(facts: VerdictFacts): string | null {
  const { judged, unjudged } = facts;
  const [first] = unjudged;
  if (first === undefined) return null;
  const alone = unjudged.length === 1;
  const who = alone
    ? first.city
    : judged === 0
      ? formatCount(unjudged.length, "city", "cities")
      : `${formatNumber(unjudged.length, 0)} of ${formatCount(judged + unjudged.length, "city", "cities")}`;
  const has =
    alone && first.days !== null && first.days < USUAL_DAYS ? `, of which it has ${first.days}` : "";
  const when = until(facts);
  const what = `${who} cannot be judged by season and hour${when === "" ? "" : when}`;
  return `${what}: that needs ${USUAL_DAYS} days with a report at the same hour${has}.`;
}

/** Until when the last of those that are not judged has to wait; nothing where that cannot be told. */
function until({ unjudged }: VerdictFacts): string {
  const last = unjudged.reduce<number | null>(
    (newest, { judgedFrom }) => (judgedFrom === null ? newest : Math.max(newest ?? judgedFrom, judgedFrom)),
    null,
  );
  return last === null || unjudged.some(({ judgedFrom }) => judgedFrom === null)
    ? ""
    : ` until about ${formatDate(last)}`;
}

function names(list: readonly string[]): string {
  if (list.length > NAMED) return `${list.length} cities`;
  return list.join(" and ");
}
