import { formatTimestamp } from "../../../core/time.ts";
import { formatCount, formatTime } from "../../format.ts";
import { Icon } from "../../parts/icons.tsx";

/** What the headline answers: is anything late or unusual? */
export interface HeadlineProps {
  /** The page's clock, ms: the newest observation's time where data is replayed, else now. */
  asOf: number;
  cities: number;
  /** Names of cities whose newest value is stale. */
  late: string[];
  /** Names of cities that have reported nothing yet. */
  silent: string[];
  /** Cities whose newest value lies outside its bounds. */
  unusual: { city: string; warm: boolean }[];
  /** Whether a result says what is unusual. */
  judged: boolean;
}

/** Most names in a title; more are counted. */
const NAMED = 2;

/** The answer in words: what is unusual or late, and how the rest is. */
export function headlineText(props: HeadlineProps): { answer: string; rest: string } {
  const { cities, late, silent, unusual, judged } = props;
  const quiet = new Set([...late, ...silent]);
  const reporting = cities - quiet.size;
  if (cities === 0 || silent.length === cities)
    return { answer: "Waiting for the first observation", rest: "" };
  const warm = unusual.filter((u) => u.warm && !quiet.has(u.city)).map((u) => u.city);
  const cold = unusual.filter((u) => !u.warm && !quiet.has(u.city)).map((u) => u.city);
  const answers: string[] = [];
  if (warm.length > 0) answers.push(`${names(warm)} unusually warm`);
  if (cold.length > 0) answers.push(`${names(cold)} unusually cold`);
  if (late.length === cities) answers.push("Every city is late");
  else if (late.length > 0) answers.push(`${names(late)} ${late.length === 1 ? "is" : "are"} late`);
  if (answers.length > 0) {
    const others = reporting - warm.length - cold.length;
    const word = judged ? "as expected" : "on time";
    return { answer: answers.join(", "), rest: others > 0 ? `, ${others} ${word}` : "" };
  }
  if (silent.length > 0) {
    return { answer: `${names(silent)} not heard of yet`, rest: `, ${reporting} on time` };
  }
  return judged
    ? { answer: "Nothing unusual", rest: ` in ${formatCount(cities, "city", "cities")}` }
    : {
        answer: cities === 1 ? "1 city on time" : `All ${formatCount(cities, "city", "cities")} on time`,
        rest: ", too early to say what is unusual",
      };
}

/** The page's title with the answer on the left and the time it holds for on the right. */
export function Headline(props: HeadlineProps): JSX.Element {
  const { answer, rest } = headlineText(props);
  const reported = props.cities - props.silent.length;
  return (
    <>
      <h1>
        <span safe>{answer}</span>
        <span class="rest" safe>
          {rest}
        </span>
      </h1>
      <p class="asof">
        <time datetime={formatTimestamp(props.asOf)} safe>
          {formatTime(props.asOf)}
        </time>
        <span safe>{formatCount(reported, "city", "cities")}</span>
        {props.late.length > 0 ? (
          <span class="st st-stale">
            <Icon name="stale" />
            <span>{props.late.length} late</span>
          </span>
        ) : (
          ""
        )}
        {props.unusual.length > 0 ? (
          <span class="sev">
            <Icon name="sev-1" />
            <span>{props.unusual.length} unusual</span>
          </span>
        ) : (
          ""
        )}
      </p>
    </>
  );
}

function names(list: string[]): string {
  if (list.length > NAMED) return `${list.length} cities`;
  return list.join(" and ");
}
