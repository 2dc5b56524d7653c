import { Elysia } from "elysia";
import type { ForecastVerification } from "../../../core/forecast-verification.ts";
import { formatTimestamp } from "../../../core/time.ts";
import { answerJson } from "../../http/answer.ts";
import { labelled } from "../../api/columns.ts";
import { EXAMPLE_LABEL, jsonContent } from "../../api/content.ts";
import { endpoint, readQuery } from "../../api/endpoint.ts";
import { type SchemasOf, integer, list, nullable, number, object, text, time } from "../../api/schema.ts";
import type { WebContext } from "../../http/context.ts";
import { forecastVerification } from "../../answers/forecast-verification.ts";

const VERIFICATION = object({
  n: integer("Forecast hours that have been observed since"),
  within: integer("Those of them that were observed inside their interval, which nine of ten should be"),
  issues: integer("From how many hours was forecast"),
  since: nullable(time("The oldest of these hours")),
  leads: list(
    object({
      from: integer("Hours ahead, from"),
      to: integer("Hours ahead, to"),
      n: integer("Forecast hours"),
      within: integer("Inside their interval"),
      error: nullable(number("Mean absolute error, °C")),
      bias: nullable(number("Mean error, °C: above 0 too warm")),
    } satisfies SchemasOf<ForecastVerification["leads"][number]>),
    "By hours ahead",
  ),
  misses: list(
    object({
      city: text("Name of the place"),
      issued_at: time("Hour of issue"),
      lead: integer("Hours ahead"),
      timestamp: time("The hour that was forecast"),
      temperature: number("Forecast, °C"),
      lower: number("Lower bound of the interval, °C"),
      upper: number("Upper bound of the interval, °C"),
      observed: number("What was observed, °C"),
    }),
    "The newest misses: observations outside the interval of their forecast",
  ),
} satisfies SchemasOf<ForecastVerification>);

/** Verification of past forecasts. */
export const GET_VERIFICATION = endpoint({
  method: "GET",
  path: "/api/v1/forecast/verification",
  id: "getForecastVerification",
  tag: "results",
  summary: "Verification of past forecasts",
  description:
    "Compares the forecasts that are still stored with the observations made since. For each forecast hour it takes the nearest observation of the same source, from 15 minutes before to 44 minutes after it, without values that failed quality control. For the first 50 cities. Computed once for each new forecast.",
  query: {},
  answers: [
    {
      status: 200,
      description: "The scores; `verification` is null before the first forecast",
      content: jsonContent(labelled({ verification: nullable(VERIFICATION) })),
      example: {
        ...EXAMPLE_LABEL,
        verification: {
          n: 2,
          within: 1,
          issues: 1,
          since: "2026-01-31T09:00:00Z",
          leads: [{ from: 1, to: 6, n: 2, within: 1, error: 2, bias: -2 }],
          misses: [
            {
              city: "London",
              issued_at: "2026-01-31T09:00:00Z",
              lead: 2,
              timestamp: "2026-01-31T11:00:00Z",
              temperature: 10,
              lower: 8,
              upper: 12,
              observed: 13,
            },
          ],
        },
      },
    },
  ],
  errors: [],
  examples: [{ title: "The scores", path: "/api/v1/forecast/verification" }],
});

/** Verification of past forecasts. */
export function forecastRoutes(context: WebContext) {
  return new Elysia().get(GET_VERIFICATION.path, async ({ request }) => {
    readQuery(GET_VERIFICATION, request, context.services);
    const made = await forecastVerification(context.services, context.clock);
    if (made === null) return answerJson(context, request, { verification: null });
    const { since, misses } = made;
    const verification = {
      ...made,
      since: since === null ? null : formatTimestamp(since),
      misses: misses.map(({ city, issued, lead, time: at, value, lower, upper, observed }) => ({
        city,
        issued_at: formatTimestamp(issued),
        lead,
        timestamp: formatTimestamp(at),
        temperature: value,
        lower,
        upper,
        observed,
      })),
    };
    return answerJson(context, request, { verification });
  });
}
