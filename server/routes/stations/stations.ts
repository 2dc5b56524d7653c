import { Elysia } from "elysia";
import { RequestError } from "../../../core/errors.ts";
import type { StationIntake } from "../../../jobs/station-intake.ts";
import { endpoint } from "../../api/endpoint.ts";
import { ECOWITT_FIELDS, formOf, WUNDERGROUND_FIELDS } from "../../api/station-fields.ts";
import { readText } from "../../http/body.ts";
import { ECOWITT_PATH, WUNDERGROUND_PATH } from "../../http/station-paths.ts";

/** Longest URL, characters: three times that of a console with every sensor. */
const URL_MAX = 8_192;
/** Longest form, bytes. */
const FORM_MAX = 16_384;

const ANSWERS = [
  {
    status: 200,
    description: "The observation is durable in the log",
    content: {
      "text/plain": {
        type: "string",
        description: "`success` and a line feed, then a line for each value that is impossible",
      },
    },
  },
] as const;
const ERRORS = ["unauthorized", "conflict", "too_large"] as const;
const FORM = { "application/x-www-form-urlencoded": formOf(ECOWITT_FIELDS) };
const WHAT =
  "Both paths take the fields of both protocols; what else a console sends is left out: [stations.md](stations.md).";

/** A push by the Weather Underground protocol. */
export const PUSH_WUNDERGROUND = endpoint({
  method: "GET",
  path: WUNDERGROUND_PATH,
  id: "pushWunderground",
  tag: "stations",
  summary: "A push by the Weather Underground protocol",
  description: `With \`ID\`, \`PASSWORD\` and the values in the query; as a form by POST as well. ${WHAT}`,
  query: null,
  sent: WUNDERGROUND_FIELDS,
  answers: ANSWERS,
  errors: ERRORS,
  examples: [],
});

/** A push by Ecowitt's protocol. */
export const PUSH_ECOWITT = endpoint({
  method: "POST",
  path: ECOWITT_PATH,
  id: "pushEcowitt",
  tag: "stations",
  summary: "A push by Ecowitt's protocol",
  description: `With the key as \`PASSKEY\` in the form; in the query by GET as well. ${WHAT}`,
  query: null,
  sent: ECOWITT_FIELDS,
  body: FORM,
  answers: ANSWERS,
  errors: ERRORS,
  examples: [],
});

/** A push by Ecowitt's protocol, with the key in the path. */
export const PUSH_ECOWITT_KEY = endpoint({
  method: "POST",
  path: `${ECOWITT_PATH}/:key`,
  id: "pushEcowittWithKey",
  tag: "stations",
  summary: "A push by Ecowitt's protocol, with the key in the path",
  description: `For consoles whose PASSKEY cannot be chosen; in the query by GET as well. ${WHAT}`,
  segments: { key: ["The station's key", "2345678abcdefgh2345678ab"] },
  query: null,
  sent: ECOWITT_FIELDS,
  body: FORM,
  answers: ANSWERS,
  errors: ERRORS,
  examples: [],
});

/**
 * Takes the pushes of stations, by the Weather Underground protocol (GET) and by Ecowitt's (POST of a form). Both paths
 * accept both protocols, because the path of a console can often be configured and its protocol cannot. The answer is
 * `success` once the observation is durable in the log; after any other answer the station sends again.
 */
export function stationRoutes(intake: Pick<StationIntake, "stationOf" | "take">) {
  const take = async (request: Request, pathKey: string | null): Promise<Response> => {
    if (request.url.length > URL_MAX) {
      throw new RequestError("too_large", `The URL is longer than ${URL_MAX} characters`);
    }
    // Not parsed as a URL: old consoles send no Host header or an invalid one, which makes the URL invalid.
    const query = request.url.indexOf("?");
    const parameters = new URLSearchParams(
      query === -1 ? "" : request.url.slice(query + 1).replace(/#.*$/s, ""),
    );
    if (request.method === "POST") {
      const form = new URLSearchParams(await readText(request, FORM_MAX));
      for (const [name, value] of form) parameters.append(name, value);
    }
    // The PASSKEY of an Ecowitt console cannot be configured, so a key in the path takes precedence.
    const key = pathKey ?? parameters.get("PASSWORD") ?? parameters.get("PASSKEY");
    const leftOut = await intake.take(intake.stationOf(key, parameters.get("ID")), parameters);
    return new Response(["success", ...leftOut.map((reason) => `Left out: ${reason}`), ""].join("\n"), {
      headers: { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" },
    });
  };
  const options = { parse: "none" } as const;
  return new Elysia()
    .get(PUSH_WUNDERGROUND.path, ({ request }) => take(request, null))
    .post(PUSH_WUNDERGROUND.path, ({ request }) => take(request, null), options)
    .get(PUSH_ECOWITT.path, ({ request }) => take(request, null))
    .post(PUSH_ECOWITT.path, ({ request }) => take(request, null), options)
    .get(PUSH_ECOWITT_KEY.path, ({ request, params }) => take(request, params.key))
    .post(PUSH_ECOWITT_KEY.path, ({ request, params }) => take(request, params.key), options);
}
