import { attribute } from "../attribute.ts";

/** The form that the stars of a page send: one for all of them. `back` is where it leads. */
export function FavouritesForm({ back }: { back: string }): JSX.Element {
  return (
    <form id="favourites" method="post" action="/favourites" hidden>
      <input type="hidden" name="back" value={attribute(back)} />
    </form>
  );
}

/** Takes a city into the reader's favourites or out of them. The page has a {@link FavouritesForm}. */
export function Star({
  city,
  slug,
  isFavourite,
}: {
  city: string;
  slug: string;
  isFavourite: boolean;
}): JSX.Element {
  return (
    <button
      type="submit"
      form="favourites"
      class="star"
      name={isFavourite ? "remove" : "add"}
      value={attribute(slug)}
      aria-label={attribute(`Favourite: ${city}`)}
      aria-pressed={isFavourite ? "true" : "false"}
    >
      {isFavourite ? "★" : "☆"}
    </button>
  );
}
