import type { RequestError } from "../../core/errors.ts";
import { Parameters } from "../http/parameters.ts";
import type { Given, Parameter } from "./parameter.ts";
import type { JsonSchema } from "./schema.ts";
import type { SentField } from "./station-fields.ts";

/** The parts of the API, in the order of its documentation. */
export const TAGS = {
  weather: "Observations and the cities they are of.",
  results: "What the analytic jobs found out.",
  jobs: "The analytic jobs themselves, and their runs.",
  alerts:
    "When somebody is told: [alerts.md](alerts.md). Without `ALERTS_FILE` the lists are empty, and what changes something is answered 409.",
  live: "What happens, as it happens.",
  operation: "Whether the program works, and how far it is.",
  stations: "Where weather stations push to. Only there while a station has a key: see stations.md.",
} as const;

/** A request that is shown, and that a test makes. */
export interface Example {
  /** What it asks for. */
  title: string;
  /** Path with query. `{…}` stands for what only a running program knows, such as a run's id. */
  path: string;
  /** Headers beside the content type. */
  headers?: Readonly<Record<string, string>>;
  /** What is sent, and its content type. */
  body?: readonly [type: string, text: string];
}

/** What an endpoint answers when all is well. */
export interface Answer {
  status: number;
  description: string;
  /** Schemas by content type. */
  content: Readonly<Record<string, JsonSchema>>;
  /** A JSON answer, as the documentation shows it. */
  example?: object;
  /** Headers that matter. */
  headers?: Readonly<Record<string, string>>;
}

/** One method of one path: what the route goes by, and what the documentation says. */
export interface Endpoint {
  method: "GET" | "POST" | "DELETE";
  /** From the root on, as the router has it: `:name` stands for one segment. */
  path: string;
  /** A name in code. */
  id: string;
  tag: keyof typeof TAGS;
  /** What it is, in a few words. */
  summary: string;
  /** The rest, in Markdown. */
  description: string;
  /** What the segments of the path stand for, with an example. */
  segments?: Readonly<Record<string, readonly [description: string, example: string]>>;
  /** Query parameters: every other one is refused. Null where other programs decide what is sent. */
  query: Readonly<Record<string, Parameter<unknown>>> | null;
  /** Where other programs decide what is sent: what of it is read, in the query or, with a body, in the form. */
  sent?: Readonly<Record<string, SentField>>;
  /** Request headers that it reads, beside the usual ones: description and example. */
  headers?: Readonly<Record<string, readonly [description: string, example: string]>>;
  /** Schemas of the request's body by content type. */
  body?: Readonly<Record<string, JsonSchema>>;
  answers: readonly Answer[];
  /** Errors beside the ones that every endpoint has. */
  errors: readonly RequestError["code"][];
  examples: readonly Example[];
}

/** Keeps what is literal in an endpoint, for the router's types. */
export function endpoint<const E extends Endpoint>(one: E): E {
  return one;
}

/** Values of query parameters by name. */
export type Values<E extends Pick<Endpoint, "query">> = {
  [Name in keyof NonNullable<E["query"]>]: NonNullable<E["query"]>[Name] extends Parameter<infer T>
    ? T
    : never;
};

/**
 * Reads the query parameters of a request to an endpoint; any that is not in its description is refused.
 *
 * @throws RequestError `unknown_parameter`, `bad_parameter`, and what the parameters throw
 */
export function readQuery<E extends Pick<Endpoint, "query">>(
  { query }: E,
  request: Request,
  services: Given["services"],
): Values<E> {
  const parameters = new Parameters(request, Object.keys(query ?? {}));
  const given: Given = { parameters, request, services };
  const values: Record<string, unknown> = {};
  for (const [name, parameter] of Object.entries(query ?? {})) values[name] = parameter.read(name, given);
  return values as Values<E>;
}
