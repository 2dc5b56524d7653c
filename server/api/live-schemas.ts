import { ANOMALY_KINDS } from "../../core/alert-rule.ts";
import { type Anomaly, FLAG_COLUMNS, type Judgement } from "../../core/quality.ts";
import { OBSERVATION_COLUMNS } from "../../spark/engine.ts";
import { LABEL, rowSchema } from "./columns.ts";
import { PIPELINE } from "./pipeline-schema.ts";
import { RUN } from "./run-schemas.ts";
import {
  type JsonSchema,
  type SchemasOf,
  integer,
  list,
  nullable,
  number,
  object,
  oneOf,
  text,
  time,
} from "./schema.ts";

const STORED: readonly string[] = ["log_offset", "ingested_at"];
const OBSERVATION = rowSchema(OBSERVATION_COLUMNS.filter(([name]) => !STORED.includes(name)));
const USUAL = {
  expected: nullable(number("What is usual")),
  lower: nullable(number("Lower bound of what is usual")),
  upper: nullable(number("Upper bound of what is usual")),
  score: nullable(number("How far outside, in the measure of its method")),
  n: integer("Sample size behind what is usual"),
  status: oneOf(["anomaly", "normal", "insufficient data"], "What came out"),
} satisfies SchemasOf<NonNullable<Judgement["usual"]>>;
const JUDGEMENT = object({
  city: text("Name of the place"),
  source: text("Who reported it"),
  timestamp: time("When it was observed"),
  log_offset: integer("Offset of the record in its partition of the log"),
  flags: object(
    Object.fromEntries(
      FLAG_COLUMNS.map((name) => [name, integer("1 good, 2 not evaluated, 3 suspect, 4 fail, 9 missing")]),
    ),
  ),
  usual: nullable(
    object(USUAL, {
      description:
        "Of the temperature; its values are null without enough history, and it is null without a temperature",
    }),
  ),
  anomalies: list(
    object({
      kind: oneOf(ANOMALY_KINDS, "Kind"),
      variable: text("The variable it is about"),
      observed: nullable(number("What was observed")),
      ...USUAL,
      method: text("How it was found"),
      severity: nullable(integer("1 shown, 2 and 3 worth an alert; null where it is none")),
    } satisfies SchemasOf<Anomaly>),
  ),
} satisfies SchemasOf<Judgement>);

/** An event of the live stream: what it says, and the schema of its data. */
export interface LiveEventDescription {
  description: string;
  schema: JsonSchema;
  /** Whether it has an id that a client can resume by. */
  id: "always" | "sometimes" | "never";
}

/** The events of `/live`, by their type. */
export const LIVE_EVENTS = {
  snapshot: {
    description:
      "The newest observation of each city. It replaces everything before: the stream begins with one, unless it resumes, and sends another where events were left out.",
    id: "sometimes",
    schema: object({
      ...LABEL,
      current: list(
        object({
          observation: OBSERVATION,
          offset: integer("Offset of the record in its partition of the log"),
          received_at: time("When the log took it"),
          judgement: nullable(JUDGEMENT),
        }),
      ),
    }),
  },
  observations: {
    description: "Observations that have just arrived, at most 100 an event, in the order of the log.",
    id: "always",
    schema: object({ observations: list(rowSchema(OBSERVATION_COLUMNS)) }),
  },
  judgements: {
    description:
      "What the live judge says of observations that were sent before, by their source, city and time.",
    id: "never",
    schema: object({ judgements: list(JUDGEMENT) }),
  },
  status: {
    description:
      "State of the pipeline, as in `/api/v1/pipeline`: when it has changed, at most once a second.",
    id: "never",
    schema: object(PIPELINE),
  },
  run: {
    description:
      "A run of an analytic job was queued, began, goes on or ended, as `/api/v1/runs/{id}` says it. How far it has got is told at most twice a second. A client that was away gets none of the events in between.",
    id: "never",
    schema: object({ run: RUN }),
  },
  result: {
    description: "An analytic job has a new result, which `/api/v1/results/{job}` has.",
    id: "never",
    schema: object({ job: text("Name of the job") }),
  },
} as const satisfies Record<string, LiveEventDescription>;
