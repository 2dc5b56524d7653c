import { Elysia } from "elysia";
import { RequestError } from "../../core/errors.ts";
import { layout, type Shell } from "../../views/pages/layout.tsx";
import { type LateParts, NowPage } from "../../views/pages/now/now.tsx";
import { ProblemPage } from "../../views/pages/problem/problem.tsx";
import { Anomalies } from "../../views/parts/anomalies.tsx";
import { courseSlot } from "../../views/parts/card.tsx";
import { Chart } from "../../views/pages/now/chart.tsx";
import { Headline } from "../../views/pages/now/headline.tsx";
import { Failed } from "../../views/parts/notes.tsx";
import { listAddress } from "../../views/pages/now/cities-table.tsx";
import { Course } from "../../views/pages/now/course.tsx";
import { Statistics } from "../../views/pages/now/statistics.tsx";
import { convertHistory, FLAT_BELOW, HISTORY_HOURS } from "../../views/series.ts";
import { type History } from "../../core/chart-history.ts";
import { DEFAULT_UNITS, scalesOf, type Units } from "../../views/units.ts";
import { ASSETS_PATH, assetResponse } from "./frame/assets.ts";
import { readHistory, sharedHistory } from "../answers/chart-history.ts";
import type { Problem } from "../http/problems.ts";
import { favouritesOfReader } from "./frame/favourites.ts";
import { chartedCities, type CitiesQuery, citiesOf } from "./props/cities.ts";
import { anomaliesOf, headlineOf, statisticsOf } from "./props/page-props.ts";
import { frameOf } from "./frame/frame.ts";
import { latePart } from "./frame/late-part.ts";
import { pageClock } from "../answers/page-clock.ts";
import {
  closed,
  fragmentResponse,
  PAGE_HEADERS,
  type PagesOptions,
  render,
  unitsOfReader,
} from "./frame/page.tsx";
import { badParameter, Parameters } from "../http/parameters.ts";
import { type LateSlot, streamPage } from "./frame/stream-page.ts";
import { aboutPage } from "./about.tsx";
import { anomaliesPage } from "./anomalies.tsx";
import { cityPages } from "./city.tsx";
import { favouritesPage } from "./favourites.tsx";
import { jobsPages } from "./jobs.tsx";
import { pipelinePages } from "./pipeline.tsx";
import { trendPages } from "./trends.tsx";
import { unitsPage } from "./units.tsx";
import { whyPage } from "./why.tsx";

/** Longest past a chart may ask for, hours. */
const HOURS_MAX = 168;

/** Longest text to search for. */
const SEARCH_MAX = 100;
const NO_STORE = { "cache-control": "no-store" };

/** The pages, their fragments, the chart's data and the files they refer to. */
export function pagesRoutes(options: PagesOptions) {
  const { services, assets, clock } = options;
  const history = sharedHistory(clock, (hours, cities) => chartHistory(options, hours, cities));
  const fragment =
    (element: (units: Units) => JSX.Element) =>
    ({ request }: { request: Request }) =>
      fragmentResponse(element(unitsOfReader(request)));
  const asOf = () => pageClock(services, clock.now());
  return new Elysia({ name: "pages" })
    .use(jobsPages(options))
    .use(pipelinePages(options))
    .use(anomaliesPage(options))
    .use(cityPages(options))
    .use(trendPages(options))
    .use(whyPage(options))
    .use(aboutPage(options))
    .use(unitsPage(options))
    .use(favouritesPage(options))
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
      return whole ? wholeNow(options, history, reader) : streamedNow(options, history, reader);
    })
    .get(
      "/fragments/headline",
      fragment(() => <Headline {...headlineOf(services, asOf())} />),
    )
    .get(
      "/fragments/statistics",
      fragment((units) => <Statistics {...statisticsOf(services, clock.now())} units={units} />),
    )
    .get(
      "/fragments/anomalies",
      fragment((units) => <Anomalies {...anomaliesOf(services, asOf(), clock.now())} units={units} />),
    )
    .get("/chart/temperature", async ({ request }) => {
      const hours = new Parameters(request, ["hours"]).integer("hours", {
        min: 1,
        max: HOURS_MAX,
        fallback: HISTORY_HOURS,
      });
      const cities = chartedCities(services, favouritesOfReader(request)).map(({ name }) => name);
      return Response.json(await history(hours, cities), { headers: NO_STORE });
    })
    .get(`${ASSETS_PATH}:file`, ({ request, params }) => {
      const asset = assets.get(ASSETS_PATH + params.file);
      if (asset === undefined) {
        throw new RequestError("not_found", `There is no file ${JSON.stringify(params.file)}`, {
          hint: "Reload the page: a newer version has other files.",
        });
      }
      return assetResponse(asset, request.headers.get("accept-encoding"));
    });
}

/** A problem as a page, for readers. */
export function problemPage({
  services,
  assets,
  clock,
}: Pick<PagesOptions, "services" | "assets" | "clock">): (problem: Problem) => Promise<string> {
  return async ({ status, message, hint }) => {
    const title = status === 404 ? "Not found" : "Problem";
    const frame = frameOf(services, assets, clock.now(), {
      path: null,
      title,
      whole: null,
      units: DEFAULT_UNITS,
    });
    const todo = hint ?? "Go back, or begin anew.";
    return closed(layout(frame, await render(<ProblemPage status={status} message={message} hint={todo} />)));
  };
}

/** What a reader of the first page has chosen. */
interface Reader extends CitiesQuery {
  units: Units;
}

/** The first page: its shell at once, what must be read as it is read. */
async function streamedNow(options: PagesOptions, history: ReadHistory, reader: Reader): Promise<Response> {
  const shell = await nowShell(options, null, reader);
  const parts = startParts(options, history, reader);
  return streamPage(shell, [
    { id: "statistics", content: parts.statistics },
    { id: "anomalies", content: parts.anomalies },
    ...parts.courses.map((content, i): LateSlot => ({ id: courseSlot(i), content })),
    { id: "chart", content: parts.chart },
  ]);
}

/** The first page with everything in its place: for readers without a script. */
async function wholeNow(options: PagesOptions, history: ReadHistory, reader: Reader): Promise<Response> {
  const parts = startParts(options, history, reader);
  const late: LateParts = {
    chart: await parts.chart,
    courses: await Promise.all(parts.courses),
    statistics: await parts.statistics,
    anomalies: await parts.anomalies,
  };
  return new Response(closed(await nowShell(options, late, reader)), { headers: PAGE_HEADERS });
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
  const headline = headlineOf(services, asOf);
  const page = (
    <NowPage headline={headline} {...cities} favourites={new Set(favourites)} late={late} units={units} />
  );
  return layout(frame, await render(page));
}

type ReadHistory = ReturnType<typeof sharedHistory>;

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
          focus={headlineOf(services, pageClock(services, clock.now())).unusual[0]?.city ?? null}
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

function chartHistory(
  { services, clock }: PagesOptions,
  hours: number,
  cities: readonly string[],
): Promise<History> {
  const to = pageClock(services, clock.now());
  return readHistory(services, {
    cities,
    from: to - hours * 3_600_000,
    // The end is exclusive, and the newest observation of a recording stands on it.
    to: to + 1,
    staleAfterSeconds: services.about.staleAfterSeconds,
  });
}
