import { Elysia } from "elysia";
import { RequestError } from "../../../core/errors.ts";
import type { Explanation, Stored, WhyResult } from "../../../core/explanation.ts";
import { type Limit, QUALITY_TESTS } from "../../../core/quality.ts";
import { formatTimestamp } from "../../../core/time.ts";
import { OBSERVATION_COLUMNS } from "../../../spark/engine.ts";
import { answerJson } from "../../http/answer.ts";
import { labelled, rowSchema } from "../../api/columns.ts";
import { EXAMPLE_LABEL, EXAMPLE_OBSERVATION, jsonContent } from "../../api/content.ts";
import { endpoint, readQuery } from "../../api/endpoint.ts";
import { cityParameter, required, textParameter, timeParameter } from "../../api/parameter.ts";
import {
  type SchemasOf,
  boolean,
  integer,
  list,
  nullable,
  number,
  object,
  oneOf,
  text,
  time,
} from "../../api/schema.ts";
import type { WebContext } from "../../http/context.ts";
import { explain } from "../../answers/explanation.ts";
import { FLAGGED_COLUMNS } from "./observations.ts";

const BOUND = (which: string) => nullable(number(`${which}; null is no bound`));
const LIMIT = object({
  test: text("The test"),
  variable: text("The value that is compared with the limit"),
  latitude: nullable(text("`low` up to 45°, `high` beyond; null for all")),
  season: nullable(text("`winter` or `summer` of that half of the earth; null for the whole year")),
  hours: nullable(number("Within how many hours a change may not be larger")),
  suspect_low: BOUND("Below it is suspect"),
  suspect_high: BOUND("Above it is suspect"),
  fail_low: BOUND("Below it fails"),
  fail_high: BOUND("Above it fails"),
  unit: text("Unit of the bounds"),
  source: text("Who says so"),
} satisfies SchemasOf<Limit>);
const STORED = {
  record: object({
    topic: text("Topic of the log"),
    partition: integer("Its partition"),
    offset: integer("Where the record stands in it"),
    ingested_at: time("When the log took it"),
  } satisfies SchemasOf<Stored["record"]>),
  file: object({
    path: text("The committed file that holds the row, below the data set's root"),
    rows: integer("Rows in it"),
    bytes: integer("Its length"),
    sha256: text("SHA-256 of it, hex"),
    first: integer("First offset it was made of"),
    last: integer("Last offset it was made of"),
    judged: nullable(
      text(
        "The judging whose flags are kept in it; null where the flags are computed when they are asked for",
      ),
    ),
  } satisfies SchemasOf<Stored["file"]>),
  commit: object({
    sequence: integer("Number of the entry that brought the file"),
    path: text("The entry, below the data set's root"),
    kind: nullable(
      oneOf(
        ["claim", "batch", "compaction", "retraction", "checkpoint"],
        "What the entry is; null where a checkpoint has taken its place",
      ),
    ),
    at: nullable(time("When it was made")),
  } satisfies SchemasOf<Stored["commit"]>),
  retraction: nullable(
    object({
      path: text("The entry that retracted it, below the data set's root"),
      at: time("When it was retracted"),
      reason: text("Why, as the one who retracted it said"),
    } satisfies SchemasOf<NonNullable<Stored["retraction"]>>),
  ),
} satisfies SchemasOf<Stored>;

const EXAMPLE_STORED = {
  record: { topic: "weather", partition: 0, offset: 4711, ingested_at: "2026-01-31T11:51:02Z" },
  file: {
    path: "observations/date=2026-01-31/hour=11/weather+0+4650+4718+3-5b7e01f2c9d84a36.jsonl",
    rows: 69,
    bytes: 24_840,
    sha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    first: 4650,
    last: 4718,
    judged: null,
  },
  commit: {
    sequence: 212,
    path: "commits/weather/0/000000000212.json",
    kind: "batch",
    at: "2026-01-31T11:51:12Z",
  },
  retraction: null,
} as const;

/** Why a value is what it is. */
export const GET_WHY = endpoint({
  method: "GET",
  path: "/api/v1/observations/why",
  id: "getWhy",
  tag: "weather",
  summary: "Origin of an observation, and the results that used it",
  description:
    "Of each source that reported of the city then: the record in the log, the committed file, the entry of the chain of commits, every test with its flag and the limits that hold for the place and season, the revisions it replaced and those that were retracted, and which newest results were computed with it. [lake-format.md](lake-format.md) says how to look into file and entry, [quality.md](quality.md) what the tests do.",
  query: {
    city: required(cityParameter("The city.")),
    timestamp: required(
      timeParameter("When it was observed, to the millisecond.", EXAMPLE_OBSERVATION.timestamp),
    ),
    source: textParameter("That source only.", EXAMPLE_OBSERVATION.source, {
      type: "string",
      minLength: 1,
      maxLength: 200,
    }),
  },
  answers: [
    {
      status: 200,
      description: "The observation of each source, by the source's name",
      content: jsonContent(
        labelled({
          observations: list(
            object({
              observation: rowSchema(FLAGGED_COLUMNS, { unjudged: true }),
              ...STORED,
              tests: list(
                object({
                  test: oneOf(QUALITY_TESTS, "Column of its flag"),
                  flag: nullable(integer("Its flag: 1 good, 2 not evaluated, 3 suspect, 4 fail, 9 missing")),
                  limits: list(LIMIT, "Its limits here"),
                } satisfies SchemasOf<Explanation["tests"][number]>),
              ),
              revisions: list(
                object({ observation: rowSchema(OBSERVATION_COLUMNS), ...STORED }),
                "What it replaced and what was retracted, the newest first",
              ),
              results: list(
                object({
                  job: text("Name of the job"),
                  run: text("The run that made its newest result"),
                  generated_at: time("When it was computed"),
                  used: nullable(
                    boolean(
                      "Whether the observation was committed then; null where that is not known any more",
                    ),
                  ),
                } satisfies SchemasOf<WhyResult>),
              ),
            } satisfies SchemasOf<Explanation>),
          ),
        }),
      ),
      example: {
        ...EXAMPLE_LABEL,
        observations: [
          {
            observation: {
              ...EXAMPLE_OBSERVATION,
              log_offset: 4711,
              ingested_at: "2026-01-31T11:51:02Z",
              ...Object.fromEntries(FLAGGED_COLUMNS.filter(isFlag).map(([name]) => [name, 1])),
            },
            ...EXAMPLE_STORED,
            tests: [
              {
                test: "q_spike",
                flag: 1,
                limits: [
                  {
                    test: "spike",
                    variable: "temperature",
                    latitude: null,
                    season: null,
                    hours: null,
                    suspect_low: null,
                    suspect_high: 3,
                    fail_low: null,
                    fail_high: 6,
                    unit: "°C",
                    source: "own",
                  },
                ],
              },
            ],
            revisions: [],
            results: [
              {
                job: "daily_summary",
                run: "5b7e01f2c9d84a36",
                generated_at: "2026-01-31T11:55:00Z",
                used: true,
              },
            ],
          },
        ],
      },
    },
  ],
  errors: ["not_found"],
  examples: [
    { title: "Of one observation", path: "/api/v1/observations/why?city=london&timestamp={timestamp}" },
  ],
});

function isFlag([name]: readonly [string, string]): boolean {
  return name === "flag" || name.startsWith("q_") || name.endsWith("_flag");
}

/** Tells of an observation where it comes from. */
export function whyRoutes(context: WebContext) {
  const { services } = context;
  return new Elysia().get(GET_WHY.path, async ({ request }) => {
    const { city, timestamp, source } = readQuery(GET_WHY, request, services);
    const observations = await explain(services, city, { timestamp, source, signal: request.signal });
    if (observations.length === 0) {
      const of = source === null ? "" : ` by ${source}`;
      throw new RequestError(
        "not_found",
        `There is no observation of ${city.name} at ${formatTimestamp(timestamp)}${of}`,
        { hint: "It may not be committed yet: /api/v1/observations lists what is." },
      );
    }
    return answerJson(context, request, { observations });
  });
}
