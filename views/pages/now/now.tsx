import { attribute } from "../../attribute.ts";
import { type CitiesList, CitiesTable, listAddress } from "./cities-table.tsx";
import { Card } from "../../parts/card.tsx";
import { FavouritesForm } from "../../parts/favourite.tsx";
import { Formats } from "../../parts/formats.tsx";
import type { Verdict } from "../../../core/verdict.ts";
import { Headline } from "./headline.tsx";
import { Icon } from "../../parts/icons.tsx";
import { Loading, Slot } from "../../parts/notes.tsx";
import type { CityNow } from "../../city-facts.ts";
import { HISTORY_HOURS } from "../../../core/chart-history.ts";
import { type Scales, scalesOf, type Units } from "../../units.ts";

/** What the page needs at once, and the parts that may come later as finished HTML. */
export interface NowProps {
  headline: Verdict;
  /** Cities with a card, in order. */
  cards: CityNow[];
  /** The other cities, or those a search finds. */
  list: CitiesList;
  /** Slugs of the reader's favourites. */
  favourites: ReadonlySet<string>;
  units: Units;
  /** The late parts, or null when they follow in the stream. */
  late: LateParts | null;
}

/** The parts of the page that are read from the lake or made from results. */
export interface LateParts {
  chart: JSX.Element;
  /** One for each card. */
  courses: JSX.Element[];
  statistics: JSX.Element;
  anomalies: JSX.Element;
}

/** What it is like now, whether anything is unusual, and whether it can be trusted. */
export function NowPage({ headline, cards, list, favourites, late, units }: NowProps): JSX.Element {
  const { asOf } = headline;
  const scales = scalesOf(units);
  const here = { search: list.search, page: list.page, whole: late !== null };
  return (
    <>
      <FavouritesForm back={listAddress(here)} />
      <div
        class="headline"
        hx-get="/fragments/headline"
        hx-trigger="result-anomalies from:body, cities-changed from:body throttle:2s, every 30s"
      >
        <Headline {...headline} />
      </div>
      {late === null ? (
        <noscript>
          <p class="note">
            <span>
              The parts that take longer need a script here.{" "}
              <a href={attribute(listAddress({ ...here, whole: true }))}>Show the whole page</a>
            </span>
          </p>
        </noscript>
      ) : (
        ""
      )}
      <iso-cities>
        <Cards
          cards={cards}
          favourites={favourites}
          courses={late?.courses ?? null}
          asOf={asOf}
          scales={scales}
        />
        <div class="split">
          <ChartSection unit={scales.temperature.unit} content={late?.chart ?? null} />
          <AnomaliesSection content={late?.anomalies ?? null} />
        </div>
        {list.total <= cards.length && list.search === null ? (
          ""
        ) : (
          <CitiesTable
            list={list}
            favourites={favourites}
            whole={late !== null}
            asOf={asOf}
            scales={scales}
          />
        )}
      </iso-cities>
      <StatisticsSection unit={scales.temperature.unit} content={late?.statistics ?? null} />
      {late === null ? (
        ""
      ) : (
        <noscript>
          <p class="note">
            <Icon name="stale" />
            <span>
              Without a script this page stands still. <a href="/?whole=1">Show it as it is now</a>, or{" "}
              <a href="/units?back=/">let pages load anew every 60 s</a>.
            </span>
          </p>
        </noscript>
      )}
    </>
  );
}

/** A card for each of the first cities. */
function Cards({
  cards,
  favourites,
  courses,
  asOf,
  scales,
}: Pick<NowProps, "cards" | "favourites"> & {
  /** Null when they come later. */
  courses: JSX.Element[] | null;
  asOf: number;
  scales: Scales;
}): JSX.Element {
  return (
    <section aria-labelledby="h-cities">
      <h2 id="h-cities" class="vh">
        Cities
      </h2>
      {cards.length === 0 ? (
        <p class="note">
          <span>
            <b>No city yet.</b> The first observation brings the first card.
          </span>
        </p>
      ) : (
        <ul class="cards">
          {cards.map((now, i) => (
            <Card
              now={now}
              index={i}
              course={courses?.[i] ?? null}
              asOf={asOf}
              scales={scales}
              isFavourite={favourites.has(now.slug)}
            />
          ))}
        </ul>
      )}
    </section>
  );
}

function ChartSection({ unit, content }: { unit: string; content: JSX.Element | null }): JSX.Element {
  return (
    <section aria-labelledby="h-chart">
      <div class="bar">
        <h2 id="h-chart">
          Temperature{" "}
          <span class="count" safe>
            {`${unit}, last ${HISTORY_HOURS} hours, UTC`}
          </span>
        </h2>
      </div>
      <Slot id="chart" content={content}>
        <div class="chart">
          <Loading what={`Temperature, reading ${HISTORY_HOURS} hours…`} />
        </div>
      </Slot>
    </section>
  );
}

function AnomaliesSection({ content }: { content: JSX.Element | null }): JSX.Element {
  return (
    <section aria-labelledby="h-anomalies">
      <div class="bar">
        <h2 id="h-anomalies">Newest anomalies</h2>
        <Formats path="/api/v1/anomalies" of="anomalies" />
      </div>
      <div hx-get="/fragments/anomalies" hx-trigger="result-anomalies from:body">
        <Slot id="anomalies" content={content}>
          <Loading what="Anomalies, reading the newest result…" />
        </Slot>
      </div>
    </section>
  );
}

function StatisticsSection({ unit, content }: { unit: string; content: JSX.Element | null }): JSX.Element {
  return (
    <section aria-labelledby="h-statistics">
      <div class="bar">
        <h2 id="h-statistics">
          Statistics{" "}
          <span class="count" safe>
            {`temperature in ${unit}, over everything stored`}
          </span>
        </h2>
        <Formats path="/api/v1/statistics" of="statistics" />
      </div>
      <div hx-get="/fragments/statistics" hx-trigger="result-city_statistics from:body">
        <Slot id="statistics" content={content}>
          <Loading what="Statistics, reading the newest result…" />
        </Slot>
      </div>
    </section>
  );
}
