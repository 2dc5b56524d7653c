import { attribute } from "../attribute.ts";

/**
 * The same data for programs.
 *
 * @param props.path of the API, with its query if it has one
 * @param props.of what the data is, for who hears the link alone
 */
export function Formats({ path, of }: { path: string; of: string }): JSX.Element {
  const join = path.includes("?") ? "&" : "?";
  return (
    <p class="more">
      <a href={attribute(path)} aria-label={attribute(`JSON of ${of}`)}>
        JSON
      </a>{" "}
      <a href={attribute(`${path}${join}format=csv`)} aria-label={attribute(`CSV of ${of}`)}>
        CSV
      </a>{" "}
      <a href={attribute(`${path}${join}format=arrow`)} aria-label={attribute(`Arrow of ${of}`)}>
        Arrow
      </a>
    </p>
  );
}
