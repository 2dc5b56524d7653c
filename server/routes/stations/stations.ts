import { Elysia } from "elysia";
import { RequestError } from "../../../core/errors.ts";
import type { StationIntake } from "../../../jobs/station-intake.ts";
import { endpoint } from "../../api/endpoint.ts";
import { ECOWITT_FIELDS, formOf, WUNDERGROUND_FIELDS } from "../../api/station-fields.ts";
import { readText } from "../../http/body.ts";
import { pathOf } from "../../http/problems.ts";
import {
  ECOWITT_PATH,
  isNearStationPath,
  isStationPath,
  STATION_PATHS,
  WUNDERGROUND_PATH,
  withoutSecrets,
} from "../../http/station-paths.ts";

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
const ERRORS = ["unauthorized", "not_found", "conflict", "too_large", "unsupported_media_type"] as const;
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

/** What of the intake the routes use. */
export type PushIntake = Pick<StationIntake, "stationOf" | "take" | "noteWrongPath">;

/** Logs and refuses what was meant to be a push and came to a path that takes none. */
function wrongPath(intake: PushIntake, request: Request): RequestError {
  const path = withoutSecrets(pathOf(request));
  intake.noteWrongPath(request.method, path, STATION_PATHS);
  return new RequestError("not_found", `No push is taken at ${JSON.stringify(path)}`, {
    hint: `Stations push to ${STATION_PATHS}.`,
  });
}

/** Whether a request that no station's path takes was meant to be a push: its path is near one, or its query is one's. */
function isMisdirected(request: Request): boolean {
  const path = pathOf(request);
  if (isStationPath(path)) return false;
  const query = request.url.split("?", 2)[1] ?? "";
  return isNearStationPath(path) || (/(^|&)dateutc=/.test(query) && /(^|&)(PASSWORD|PASSKEY)=/.test(query));
}

/**
 * Takes the pushes of stations, by the Weather Underground protocol (GET) and by Ecowitt's (POST of a form). Both paths
 * accept both protocols, because the path of a console can often be configured and its protocol cannot. The answer is
 * `success` once the observation is durable in the log; after any other answer the station sends again.
 */
export function stationRoutes(intake: PushIntake) {
  const stationOf = (pathKey: string | null, parameters: URLSearchParams) => {
    // The PASSKEY of an Ecowitt console cannot be configured, so a key in the path takes precedence.
    const key = pathKey ?? parameters.get("PASSWORD") ?? parameters.get("PASSKEY");
    try {
      return intake.stationOf(key, parameters.get("ID"));
    } catch (error) {
      if (pathKey === null || !(error instanceof RequestError)) throw error;
      throw new RequestError(
        error.code,
        `The last part of the path is no station's key that is known: wanted ${STATION_PATHS}`,
        error.hint === undefined ? {} : { hint: error.hint },
      );
    }
  };
  const take = async (request: Request, pathKey: string | null): Promise<Response> => {
    // A key has letters and digits alone.
    if (pathKey !== null && !/^[\w-]+$/.test(pathKey)) throw wrongPath(intake, request);
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
    const leftOut = await intake.take(stationOf(pathKey, parameters), parameters);
    return new Response(["success", ...leftOut.map((reason) => `Left out: ${reason}`), ""].join("\n"), {
      headers: { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" },
    });
  };
  const options = { parse: "none" } as const;
  return new Elysia()
    .onRequest(({ request }) => {
      if (isMisdirected(request)) throw wrongPath(intake, request);
    })
    .get(PUSH_WUNDERGROUND.path, ({ request }) => take(request, null))
    .post(PUSH_WUNDERGROUND.path, ({ request }) => take(request, null), options)
    .get(PUSH_ECOWITT.path, ({ request }) => take(request, null))
    .post(PUSH_ECOWITT.path, ({ request }) => take(request, null), options)
    .get(PUSH_ECOWITT_KEY.path, ({ request, params }) => take(request, params.key))
    .post(PUSH_ECOWITT_KEY.path, ({ request, params }) => take(request, params.key), options);
}
