import { RequestError } from "../../core/errors.ts";
import { describe } from "../../core/observation.ts";
import { type Format, FORMATS, CONTENT_TYPES } from "../formats/formats.ts";
import { type Parameters, badParameter } from "./parameters.ts";

/** How a body can be compressed (RFC 9110, 8.4.1). The first is chosen where the client does not mind. */
export const CODINGS = ["br", "gzip"] as const;
/** One of {@link CODINGS}. */
export type Coding = (typeof CODINGS)[number];

/** Every name of a coding; `x-gzip` is an old one. */
const CODING_NAMES: Readonly<Record<Coding, readonly string[]>> = { br: ["br"], gzip: ["gzip", "x-gzip"] };

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
  const format = chooseMediaType(request, FORMATS, (one) => CONTENT_TYPES[one].split(";", 1)[0] ?? "");
  if (format === null) {
    throw new RequestError(
      "not_acceptable",
      `Cannot answer as ${describe(request.headers.get("accept") ?? "")}`,
      {
        hint: "Wanted application/json, text/csv or application/vnd.apache.arrow.stream; or say format=json, csv or arrow.",
      },
    );
  }
  return format;
}

/**
 * What the client would rather have of what is offered (RFC 9110, 12.5.1): the first one where it does not mind or does not
 * say, null where it takes none. The most specific range decides; parameters of a range, such as a charset, are not compared.
 *
 * @param offered in the order of our own preference
 * @param typeOf its media type, in lower case, without parameters
 */
export function chooseMediaType<T extends string>(
  request: Request,
  offered: readonly T[],
  typeOf: (one: T) => string = (one) => one,
): T | null {
  const accept = request.headers.get("accept") ?? "";
  if (accept.trim() === "") return offered[0] ?? null;
  const qualities = qualitiesOf(accept);
  return best(offered, (one) => {
    const type = typeOf(one);
    return qualityOf(qualities, [type, `${type.split("/", 1)[0]}/*`, "*/*"]) ?? 0;
  }).one;
}

/**
 * The coding of an answer that the client would rather have (RFC 9110, 12.5.3), or null for the body as it is. So it is also
 * sent where nothing suits the client: every client can read it.
 *
 * @param options.offered in the order of our own preference; all of {@link CODINGS} unless said otherwise
 * @param options.pays whether compressing makes the body much smaller. Where not, it is compressed only for a client that
 *   refuses it as it is: `identity;q=0`
 */
export function chooseCoding(
  request: Request,
  { offered = CODINGS, pays = true }: { offered?: readonly Coding[]; pays?: boolean } = {},
): Coding | null {
  const qualities = qualitiesOf(request.headers.get("accept-encoding") ?? "");
  const identity = qualityOf(qualities, ["identity", "*"]);
  if (!pays && identity !== 0) return null;
  const { one, quality } = best(
    offered,
    (coding) => qualityOf(qualities, [...CODING_NAMES[coding], "*"]) ?? 0,
  );
  return quality >= (identity ?? 0) ? one : null;
}

/** The first of those with the highest quality above 0. */
function best<T>(offered: readonly T[], quality: (one: T) => number): { one: T | null; quality: number } {
  let found: { one: T | null; quality: number } = { one: null, quality: 0 };
  for (const one of offered) {
    const its = quality(one);
    if (its > found.quality) found = { one, quality: its };
  }
  return found;
}

/** What a header says of the first of these names that it lists. */
function qualityOf(qualities: ReadonlyMap<string, number>, names: readonly string[]): number | undefined {
  return qualities.get(names.find((name) => qualities.has(name)) ?? "");
}

/**
 * Qualities, 0 to 1, by the name or range that an Accept header lists, in lower case (RFC 9110, 12.4.2). Of what is listed
 * twice the first counts, and what is no number refuses. It takes time in proportion to the header, which the server limits
 * to 16 kB.
 */
function qualitiesOf(header: string): Map<string, number> {
  const qualities = new Map<string, number>();
  for (const part of header.toLowerCase().split(",")) {
    const [name = "", ...parameters] = part.split(";").map((text) => text.trim());
    if (name === "" || qualities.has(name)) continue;
    const quality = parameters.find((text) => text.startsWith("q="))?.slice(2);
    qualities.set(name, quality === undefined ? 1 : Math.min(Math.max(Number(quality) || 0, 0), 1));
  }
  return qualities;
}
