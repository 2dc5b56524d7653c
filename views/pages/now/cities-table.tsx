import { CONTRACT_VARIABLES } from "../../../core/variables.ts";
import { attribute } from "../../attribute.ts";
import { formatCondition, formatNumber } from "../../format.ts";
import type { CityNow } from "../../city-facts.ts";
import { valueLabel } from "../../shown-variables.ts";
import type { Scales } from "../../units.ts";
import { AgeOf } from "../../parts/card.tsx";
import { Star } from "../../parts/favourite.tsx";
import { measureClass, MeasuredValue } from "../../parts/measure.tsx";
import { Empty } from "../../parts/notes.tsx";

/** One page of the cities. */
export interface CitiesList {
  rows: CityNow[];
  /** The part of a name that was searched for, or null. */
  search: string | null;
  /** How many cities the list has on all its pages, and how many there are at all. */
  found: number;
  total: number;
  /** From 1. */
  page: number;
  pages: number;
}

/** Where the first page shows a list: what it searches for, its page, and whether everything is there at once. */
export function listAddress({
  search,
  page,
  whole,
}: {
  search: string | null;
  page: number;
  whole: boolean;
}): string {
  const query = new URLSearchParams({
    ...(whole ? { whole: "1" } : {}),
    ...(search === null ? {} : { q: search }),
    ...(page === 1 ? {} : { page: String(page) }),
  });
  return query.size === 0 ? "/" : `/?${query}`;
}

/**
 * The cities beyond the cards or those that were searched for, a row each.
 *
 * @param props.favourites slugs
 * @param props.whole whether this is the page that has everything at once
 */
export function CitiesTable({
  list,
  favourites,
  whole,
  asOf,
  scales,
}: {
  list: CitiesList;
  favourites: ReadonlySet<string>;
  whole: boolean;
  asOf: number;
  scales: Scales;
}): JSX.Element {
  const { rows, search, found, total } = list;
  return (
    <section aria-labelledby="h-more">
      <div class="bar">
        <h2 id="h-more">
          {search === null ? "More cities" : "Cities found"}{" "}
          <span class="count" safe>
            {`${formatNumber(found, 0)} of ${formatNumber(total, 0)}`}
          </span>
        </h2>
        <a class="more" href="/api/v1/current">
          JSON
        </a>
      </div>
      <Search search={search} whole={whole} />
      {rows.length === 0 ? (
        <Empty
          what={`No city has “${search ?? ""}” in its name.`}
          why="A part of the name is enough, in any case and without accents."
        />
      ) : (
        <Rows rows={rows} favourites={favourites} asOf={asOf} scales={scales} />
      )}
      {list.pages === 1 ? "" : <PageLinks list={list} whole={whole} />}
    </section>
  );
}

/** Searches for a part of a name, by a plain form. */
function Search({ search, whole }: { search: string | null; whole: boolean }): JSX.Element {
  return (
    <form class="filter" method="get" action="/" role="search">
      {whole ? <input type="hidden" name="whole" value="1" /> : ""}
      <label for="q">Name</label>
      <input id="q" name="q" type="search" maxlength="100" value={attribute(search ?? "")} />
      <button type="submit">Search</button>
      {search === null ? (
        ""
      ) : (
        <a href={attribute(listAddress({ search: null, page: 1, whole }))}>All cities</a>
      )}
    </form>
  );
}

/** A row for each city. */
function Rows({
  rows,
  favourites,
  asOf,
  scales,
}: {
  rows: CityNow[];
  favourites: ReadonlySet<string>;
  asOf: number;
  scales: Scales;
}): JSX.Element {
  return (
    <div class="scroll" tabindex="0" role="region" aria-labelledby="h-more">
      <table class="num">
        <thead>
          <tr>
            <th scope="col">City</th>
            {CONTRACT_VARIABLES.map((variable) => (
              <th scope="col" class={variable === "temperature" ? undefined : "wide"} safe>
                {valueLabel(variable)}
              </th>
            ))}
            <th scope="col" class="left wide">
              Condition
            </th>
            <th scope="col">Age</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((now) => (
            <tr class={now.stale ? "is-stale" : undefined} data-city={attribute(now.city)}>
              <th scope="row">
                <Star city={now.city} slug={now.slug} isFavourite={favourites.has(now.slug)} />{" "}
                <a href={`/cities/${encodeURIComponent(now.slug)}`} safe>
                  {now.city}
                </a>
              </th>
              {CONTRACT_VARIABLES.map((variable) => (
                <td
                  class={measureClass(now.observation?.[variable], variable === "temperature" ? "" : "wide")}
                  data-field={variable}
                >
                  <MeasuredValue variable={variable} observation={now.observation} scales={scales} />
                </td>
              ))}
              <td
                class={measureClass(now.observation?.weather_description, "left wide")}
                data-field="condition"
                safe
              >
                {formatCondition(now.observation?.weather_description ?? null)}
              </td>
              <td>
                <AgeOf now={now} asOf={asOf} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Leads to the page before and the one after. */
function PageLinks({ list, whole }: { list: CitiesList; whole: boolean }): JSX.Element {
  const { search, page, pages } = list;
  const pageLink = (to: number, label: string, rel: "prev" | "next") =>
    to < 1 || to > pages ? (
      ""
    ) : (
      <a rel={rel} href={attribute(listAddress({ search, page: to, whole }))} safe>
        {label}
      </a>
    );
  return (
    <nav class="seg" aria-label="Pages of cities">
      {pageLink(page - 1, "Previous", "prev")}
      <span class="u" safe>
        {`Page ${page} of ${pages}`}
      </span>
      {pageLink(page + 1, "Next", "next")}
    </nav>
  );
}
