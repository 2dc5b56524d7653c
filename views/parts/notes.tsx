import { Icon } from "./icons.tsx";

/** An empty region: what there is not, and why. */
export function Empty({ what, why }: { what: string; why: string }): JSX.Element {
  return (
    <p class="note">
      <span>
        <b safe>{what}</b> <span safe>{why}</span>
      </span>
    </p>
  );
}

/** A region that failed: what, and what to do. What the failure said inside stays in the program's log. */
export function Failed({ what, todo }: { what: string; todo: string }): JSX.Element {
  return (
    <p class="note error" role="alert">
      <Icon name="fail" />
      <span>
        <b safe>{what}</b> <span safe>{todo}</span>
      </span>
    </p>
  );
}

/** What stands in a slot until its part arrives. */
export function Loading({ what }: { what: string }): JSX.Element {
  return (
    <div class="slot">
      <p class="u" safe>
        {what}
      </p>
      <span></span>
      <span></span>
      <span></span>
    </div>
  );
}

/** A part of a page that may come late: its content, or the place it is moved to when it arrives. */
export function Slot({
  id,
  content,
  children,
}: {
  /** Name of the slot: letters, digits and hyphens. */
  id: string;
  /** The finished part, as HTML, or null when it follows in the stream. */
  content: JSX.Element | null;
  /** What is shown until then. */
  children: JSX.Element;
}): JSX.Element {
  if (content !== null) return <>{content}</>;
  return (
    <stream-slot name={id} aria-busy="true">
      {children}
    </stream-slot>
  );
}
