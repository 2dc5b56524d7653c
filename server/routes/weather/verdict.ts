import { Elysia } from "elysia";
import { formatTimestamp } from "../../../core/time.ts";
import type { UnusualNow } from "../../../core/verdict.ts";
import { pageClock } from "../../answers/page-clock.ts";
import { USUAL_DAYS } from "../../answers/usual-days.ts";
import { verdictNow } from "../../answers/verdict.ts";
import { labelled } from "../../api/columns.ts";
import { EXAMPLE_LABEL, jsonContent } from "../../api/content.ts";
import { endpoint, readQuery } from "../../api/endpoint.ts";
import { cityParameter } from "../../api/parameter.ts";
import { integer, list, nullable, object, oneOf, type SchemasOf, text, time } from "../../api/schema.ts";
import { answerJson } from "../../http/answer.ts";
import type { WebContext } from "../../http/context.ts";

const VERDICT = {
  as_of: time("What counts as now: of a recording the time of its newest observation"),
  text: text("The verdict in words, as the first page says it"),
  too_early: nullable(
    text("Who cannot be judged yet, why, and until when, in words; null where everybody is"),
  ),
  cities: integer("Cities it is about"),
  judged: integer("Those of them that are judged by season and hour"),
  days_needed: integer("Days with a report at the same hour that it takes to be judged"),
  late: list(text("Name of a city"), "Cities whose newest report is stale"),
  silent: list(text("Name of a city"), "Cities that have never reported"),
  unusual: list(
    object({
      city: text("Name of the city"),
      kind: oneOf(["spike", "step", "unusual", "stuck"], "Kind of the anomaly"),
      side: nullable(oneOf(["above", "below"], "Of what is usual; null of what is stuck")),
    } satisfies SchemasOf<UnusualNow>),
    "What is unusual now",
  ),
  unjudged: list(
    object({
      city: text("Name of the city"),
      days: nullable(integer("Days it has; null before the usual temperatures were computed")),
      judged_from: nullable(
        time("About when it is judged if it goes on reporting; null where that cannot be told"),
      ),
    }),
    "Cities that report and cannot be judged yet: of them nothing is usual or unusual by season and hour",
  ),
};

/** The verdict on the newest reports. */
export const GET_VERDICT = endpoint({
  method: "GET",
  path: "/api/v1/verdict",
  id: "getVerdict",
  tag: "weather",
  summary: "What is unusual or late now, and who cannot be judged yet",
  description:
    "What the pages say of the newest reports, as facts and in words. A city that is not judged is neither unusual nor as expected. [anomalies.md](anomalies.md) has the kinds.",
  query: { city: cityParameter("One city only.") },
  answers: [
    {
      status: 200,
      description: "The verdict",
      content: jsonContent(labelled(VERDICT)),
      example: {
        ...EXAMPLE_LABEL,
        as_of: "2026-01-31T12:00:00Z",
        text: "London unusually warm, 3 as expected, 1 too early to judge until about 8 Feb",
        too_early:
          "Oslo cannot be judged by season and hour until about 8 Feb: that needs 10 days with a report at the same hour, of which it has 2.",
        cities: 5,
        judged: 4,
        days_needed: 10,
        late: [],
        silent: [],
        unusual: [{ city: "London", kind: "unusual", side: "above" }],
        unjudged: [{ city: "Oslo", days: 2, judged_from: "2026-02-08T11:50:00Z" }],
      },
    },
  ],
  errors: ["not_found"],
  examples: [
    { title: "Of every city", path: "/api/v1/verdict" },
    { title: "Of one city", path: "/api/v1/verdict?city=london" },
  ],
});

/** The verdict on the newest reports. */
export function verdictRoutes(context: WebContext) {
  const { services, clock } = context;
  return new Elysia().get(GET_VERDICT.path, ({ request }) => {
    const { city } = readQuery(GET_VERDICT, request, services);
    const asOf = pageClock(services, clock.now());
    const verdict = verdictNow(services, asOf, city === null ? services.cities() : [city]);
    const { answer, rest, tooEarly, cities, judged, late, silent, unusual, unjudged } = verdict;
    return answerJson(context, request, {
      as_of: formatTimestamp(asOf),
      text: answer + rest,
      too_early: tooEarly,
      cities,
      judged,
      days_needed: USUAL_DAYS,
      late,
      silent,
      unusual,
      unjudged: unjudged.map(({ city: name, days, judgedFrom }) => ({
        city: name,
        days,
        judged_from: judgedFrom === null ? null : formatTimestamp(judgedFrom),
      })),
    });
  });
}
