import { Elysia } from "elysia";
import { layout, type Shell } from "../../views/pages/layout.tsx";
import { type LateParts, NowPage } from "../../views/pages/now/now.tsx";
import { Anomalies } from "../../views/parts/anomalies.tsx";
import { courseSlot } from "../../views/parts/card.tsx";
import { Chart } from "../../views/pages/now/chart.tsx";
import { Headline } from "../../views/pages/now/headline.tsx";
import { Failed } from "../../views/parts/notes.tsx";
import { listAddress } from "../../views/pages/now/cities-table.tsx";
import { Course } from "../../views/pages/now/course.tsx";
import { Statistics } from "../../views/pages/now/statistics.tsx";
import { HISTORY_HOURS, type History } from "../../core/chart-history.ts";
import { convertHistory, FLAT_BELOW } from "../../views/series.ts";
import { scalesOf, type Units } from "../../views/units.ts";
import { answerPage } from "../http/answer.ts";
import { favouritesOfReader } from "./frame/favourites.ts";
import { chartedCities, type CitiesQuery, citiesOf } from "./props/cities.ts";
import { anomaliesOf } from "./props/anomalies.ts";
import { statisticsOf } from "./props/statistics.ts";
import type { ReadHistory } from "./chart.ts";
import { frameOf } from "./frame/frame.ts";
import { latePart } from "./frame/late-part.ts";
import { pageClock } from "../answers/page-clock.ts";
import { verdictNow } from "../answers/verdict.ts";
import { closed, fragmentResponse, type PagesOptions, render, unitsOfReader } from "./frame/page.tsx";
import { badParameter, Parameters } from "../http/parameters.ts";
import { type LateSlot, streamPage } from "./frame/stream-page.ts";

/** Longest text to search for. */
const SEARCH_MAX = 100;

/** The first page and its fragments. */
export function nowPage(options: PagesOptions, history: ReadHistory) {
  const { services, clock } = options;
  const fragment =
    (element: (units: Units) => JSX.Element) =>
    ({ request }: { request: Request }) =>
      fragmentResponse(request, element(unitsOfReader(request)));
  const asOf = () => pageClock(services, clock.now());
  return new Elysia()
    .get("/", ({ request }) => {
      const parameters = new Parameters(request, ["whole", "q", "page"]);
      const search = (parameters.text("q") ?? "").trim();
      if (search.length > SEARCH_MAX) throw badParameter("q", search, `at most ${SEARCH_MAX} characters`);
      const reader: Reader = {
        units: unitsOfReader(request),
        favourites: favouritesOfReader(request),
        search: search === "" ? null : search,
        page: parameters.integer("page", { min: 1, max: 1_000_000, fallback: 1 }),
      };
      const whole = parameters.text("whole") !== null;
      return whole
        ? wholeNow(options, request, history, reader)
        : streamedNow(options, request, history, reader);
    })
    .get(
      "/fragments/headline",
      fragment(() => <Headline {...verdictNow(services, asOf())} />),
    )
    .get(
      "/fragments/statistics",
      fragment((units) => <Statistics {...statisticsOf(services, clock.now())} units={units} />),
    )
    .get(
      "/fragments/anomalies",
      fragment((units) => <Anomalies {...anomaliesOf(services, asOf(), clock.now())} units={units} />),
    );
}

/** What a reader of the first page has chosen. */
interface Reader extends CitiesQuery {
  units: Units;
}

/** The first page: its shell at once, what must be read as it is read. */
async function streamedNow(
  options: PagesOptions,
  request: Request,
  history: ReadHistory,
  reader: Reader,
): Promise<Response> {
  const shell = await nowShell(options, null, reader);
  const parts = startParts(options, history, reader);
  return streamPage(request, shell, [
    { id: "statistics", content: parts.statistics },
    { id: "anomalies", content: parts.anomalies },
    ...parts.courses.map((content, i): LateSlot => ({ id: courseSlot(i), content })),
    { id: "chart", content: parts.chart },
  ]);
}

/** The first page with everything in its place: for readers without a script. */
async function wholeNow(
  options: PagesOptions,
  request: Request,
  history: ReadHistory,
  reader: Reader,
): Promise<Response> {
  const parts = startParts(options, history, reader);
  const late: LateParts = {
    chart: await parts.chart,
    courses: await Promise.all(parts.courses),
    statistics: await parts.statistics,
    anomalies: await parts.anomalies,
  };
  return answerPage(request, closed(await nowShell(options, late, reader)));
}

async function nowShell(
  { services, assets, clock }: PagesOptions,
  late: LateParts | null,
  reader: Reader,
): Promise<Shell> {
  const { units, favourites } = reader;
  const now = clock.now();
  const asOf = pageClock(services, now);
  const cities = citiesOf(services, asOf, reader);
  const frame = frameOf(services, assets, now, {
    path: "/",
    title: "Now",
    whole: late === null ? listAddress({ ...reader, whole: true }) : null,
    units,
    live: { cities: [...new Set([...cities.cards, ...cities.list.rows].map(({ slug }) => slug))] },
  });
  const headline = verdictNow(services, asOf);
  const page = (
    <NowPage headline={headline} {...cities} favourites={new Set(favourites)} late={late} units={units} />
  );
  return layout(frame, await render(page));
}

interface StartedParts {
  chart: Promise<string>;
  courses: Promise<string>[];
  statistics: Promise<string>;
  anomalies: Promise<string>;
}

/** Starts the work on the late parts. None of them rejects: one that fails says so in its place, and the log says why. */
function startParts(
  { services, clock, logger }: PagesOptions,
  readPast: ReadHistory,
  { units, favourites }: Reader,
): StartedParts {
  const cities = chartedCities(services, favourites);
  const { temperature } = scalesOf(units);
  const flatBelow = temperature.difference(FLAT_BELOW) ?? FLAT_BELOW;
  const history = readPast(
    HISTORY_HOURS,
    cities.map(({ name }) => name),
  ).then((read) => convertHistory(read, temperature.of));
  return {
    chart: latePart(
      logger,
      "the chart",
      async () => (
        <Chart
          history={await history}
          focus={verdictNow(services, pageClock(services, clock.now())).unusual[0]?.city ?? null}
          staleAfterSeconds={services.about.staleAfterSeconds}
          unit={temperature.unit}
        />
      ),
      <Failed
        what={`Cannot read the last ${HISTORY_HOURS} hours.`}
        todo="The newest values above are right. Reload the page to try again."
      />,
    ),
    courses: cities.map(async (_, i) => {
      // The chart's failure is told once, in the chart's place.
      const read: History = await history.catch(() => ({ from: 0, to: 1, series: [] }));
      return render(
        <Course series={read.series[i] ?? null} from={read.from} to={read.to} flatBelow={flatBelow} />,
      );
    }),
    statistics: latePart(
      logger,
      "the statistics",
      () => <Statistics {...statisticsOf(services, clock.now())} units={units} />,
      <Failed what="Cannot show the statistics." todo="They are tried again with the next result." />,
    ),
    anomalies: latePart(
      logger,
      "the anomalies",
      () => (
        <Anomalies {...anomaliesOf(services, pageClock(services, clock.now()), clock.now())} units={units} />
      ),
      <Failed what="Cannot show the anomalies." todo="They are tried again with the next result." />,
    ),
  };
}
