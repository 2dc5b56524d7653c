import { RequestError } from "../../core/errors.ts";
import { describe } from "../../core/observation.ts";
import { type Format, FORMATS, CONTENT_TYPES } from "../formats/formats.ts";
import { type Parameters, badParameter } from "./parameters.ts";

/**
 * The format asked for: the parameter `format`, else the best match of the Accept header, else JSON.
 *
 * @throws RequestError `bad_parameter` for another `format`, `not_acceptable` when Accept leaves none
 */
export function chooseFormat(parameters: Parameters, request: Request): Format {
  const named = parameters.text("format");
  if (named !== null) {
    const format = FORMATS.find((one) => one === named);
    if (format === undefined) throw badParameter("format", named, FORMATS.join(", "));
    return format;
  }
  const accept = request.headers.get("accept");
  if (accept === null || accept.trim() === "") return "json";
  let best: Format | undefined;
  let bestQuality = 0;
  for (const format of FORMATS) {
    const quality = qualityOf(accept, CONTENT_TYPES[format].split(";", 1)[0] ?? "");
    if (quality > bestQuality) [best, bestQuality] = [format, quality];
  }
  if (best === undefined) {
    throw new RequestError("not_acceptable", `Cannot answer as ${describe(accept)}`, {
      hint: "Wanted application/json, text/csv or application/vnd.apache.arrow.stream; or say format=json, csv or arrow.",
    });
  }
  return best;
}
/** How much an Accept header wants a media type, 0 to 1: the most specific range that fits decides (RFC 9110, 12.5.1). */
export function qualityOf(accept: string, type: string): number {
  let quality = 0;
  let specific = -1;
  for (const part of accept.split(",")) {
    const [range = "", ...parameters] = part.split(";").map((text) => text.trim().toLowerCase());
    const fits = range === type ? 2 : range === `${type.split("/", 1)[0]}/*` ? 1 : range === "*/*" ? 0 : -1;
    if (fits <= specific) continue;
    const q = parameters.find((text) => text.startsWith("q="))?.slice(2);
    specific = fits;
    quality = q === undefined ? 1 : Number(q) || 0;
  }
  return quality;
}
