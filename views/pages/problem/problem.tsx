import { Failed } from "../../parts/notes.tsx";

/** What stands where a page cannot be shown: what happened, and what to do. */
export function ProblemPage({
  status,
  message,
  hint,
}: {
  status: number;
  message: string;
  hint: string;
}): JSX.Element {
  return (
    <>
      <div class="headline">
        <h1>{status === 404 ? "Nothing is here" : "This page cannot be shown"}</h1>
        <p class="asof">{status}</p>
      </div>
      <section aria-label="What happened">
        <Failed what={`${message}.`} todo={hint} />
        <p class="note">
          <a href="/">What it is like now</a>
        </p>
      </section>
    </>
  );
}
