/** A piece of SQL and what it is, for its colour: comment, keyword, function, number or text. */
const TOKEN =
  /(?<c>--[^\n]*)|(?<n>'(?:[^']|'')*'|\b\d+(?:\.\d+)?(?:e-?\d+)?\b)|(?<k>\b(?:SELECT|FROM|WHERE|GROUP|ORDER|BY|AS|AND|OR|NOT|IN|IS|NULL|CASE|WHEN|THEN|ELSE|END|JOIN|LEFT|CROSS|ON|WITH|UNION|ALL|OVER|PARTITION|HAVING|LIMIT|DESC|ASC|BETWEEN|INTERVAL|ROWS|RANGE|PRECEDING|FOLLOWING|CURRENT|ROW|DISTINCT|EXISTS|USING|TRUE|FALSE)\b)|(?<f>\b[a-z_]+(?=\())/g;

/** SQL as people read it. */
export function Sql({ text }: { text: string }): JSX.Element {
  return (
    <div class="sql" tabindex="0" role="region" aria-labelledby="h-sql">
      <pre>
        <code>
          {piecesOf(text).map(({ look, piece }) => (
            <span class={look} safe>
              {piece}
            </span>
          ))}
        </code>
      </pre>
    </div>
  );
}

function piecesOf(text: string): { look: string | undefined; piece: string }[] {
  const pieces: { look: string | undefined; piece: string }[] = [];
  let at = 0;
  for (const match of text.matchAll(TOKEN)) {
    if (match.index > at) pieces.push({ look: undefined, piece: text.slice(at, match.index) });
    const look = Object.entries(match.groups ?? {}).find(([, found]) => found !== undefined)?.[0];
    pieces.push({ look, piece: match[0] });
    at = match.index + match[0].length;
  }
  pieces.push({ look: undefined, piece: text.slice(at) });
  return pieces;
}
