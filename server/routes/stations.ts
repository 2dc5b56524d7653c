import { Elysia } from "elysia";
import { RequestError } from "../../core/errors.ts";
import type { StationIntake } from "../../jobs/station-intake.ts";
import { readText } from "../body.ts";
import { ECOWITT_PATH, WUNDERGROUND_PATH } from "../station-paths.ts";

/** Longest URL, characters: three times what a console with every sensor sends. */
const URL_MAX = 8_192;
/** Longest form, bytes. */
const FORM_MAX = 16_384;

/**
 * Takes what stations push, by the Weather Underground protocol (GET) and by Ecowitt's (POST of a form). Both paths take
 * both, because a console's path can often be chosen and its protocol not. Answers `success` once the observation is
 * durable in the log; anything else lets the station send again.
 */
export function stationRoutes(intake: Pick<StationIntake, "stationOf" | "take">) {
  const take = async (request: Request, pathKey: string | null): Promise<Response> => {
    if (request.url.length > URL_MAX) {
      throw new RequestError("too_large", `The URL is longer than ${URL_MAX} characters`);
    }
    // Not by URL: old consoles send no Host or an odd one, and then it is none.
    const query = request.url.indexOf("?");
    const parameters = new URLSearchParams(
      query === -1 ? "" : request.url.slice(query + 1).replace(/#.*$/s, ""),
    );
    if (request.method === "POST") {
      const form = new URLSearchParams(await readText(request, FORM_MAX));
      for (const [name, value] of form) parameters.append(name, value);
    }
    // An Ecowitt console cannot choose its PASSKEY: where the path has a key, that one counts.
    const key = pathKey ?? parameters.get("PASSWORD") ?? parameters.get("PASSKEY");
    await intake.take(intake.stationOf(key, parameters.get("ID")), parameters);
    return new Response("success\n", {
      headers: { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" },
    });
  };
  const options = { parse: "none" } as const;
  return new Elysia()
    .get(WUNDERGROUND_PATH, ({ request }) => take(request, null))
    .post(WUNDERGROUND_PATH, ({ request }) => take(request, null), options)
    .get(ECOWITT_PATH, ({ request }) => take(request, null))
    .post(ECOWITT_PATH, ({ request }) => take(request, null), options)
    .get(`${ECOWITT_PATH}/:key`, ({ request, params }) => take(request, params.key))
    .post(`${ECOWITT_PATH}/:key`, ({ request, params }) => take(request, params.key), options);
}
