/** The page's icons, once; {@link Icon} refers to them. */
export function Sprite(): JSX.Element {
  const line = {
    fill: "none",
    stroke: "currentColor",
    "stroke-linecap": "round",
    "stroke-linejoin": "round",
  } as const;
  return (
    <svg class="sprite" aria-hidden="true" focusable="false">
      <defs>
        <symbol id="i-logo" viewBox="0 0 20 20">
          <g stroke-width="1.6" {...line}>
            <circle cx="8" cy="11.5" r="1.6" fill="currentColor" stroke="none" />
            <path d="M3.4 13.4a5 5 0 1 1 8.6 1.4" />
            <path d="M1.2 8.2a8.4 8.4 0 0 1 15 7.2" />
            <path d="M5.6 2.4a10.6 10.6 0 0 1 12.6 6.4" />
          </g>
        </symbol>
        <symbol id="i-live" viewBox="0 0 12 12">
          <circle cx="6" cy="6" r="3.4" fill="currentColor" />
        </symbol>
        <symbol id="i-wait" viewBox="0 0 12 12">
          <circle cx="6" cy="6" r="4.6" fill="none" stroke="currentColor" stroke-width="1.3" />
        </symbol>
        <symbol id="i-stale" viewBox="0 0 12 12">
          <circle cx="6" cy="6" r="4.8" stroke-width="1.3" {...line} />
          <path d="M6 3.2V6l2 1.4" stroke-width="1.3" {...line} />
        </symbol>
        <symbol id="i-offline" viewBox="0 0 12 12">
          <circle cx="6" cy="6" r="4.8" stroke-width="1.3" {...line} />
          <path d="M2.6 9.4 9.4 2.6" stroke-width="1.3" {...line} />
        </symbol>
        <symbol id="i-run" viewBox="0 0 12 12">
          <path d="M3.4 1.8v8.4L10 6z" fill="currentColor" />
        </symbol>
        <symbol id="i-ok" viewBox="0 0 12 12">
          <path d="M2.2 6.4 4.8 9l5-6" stroke-width="1.6" {...line} />
        </symbol>
        <symbol id="i-suspect" viewBox="0 0 12 12">
          <path d="M6 1.2 11.4 10.8H.6z" stroke-width="1.4" {...line} />
          <path d="M6 4.6v3" stroke-width="1.4" {...line} />
          <circle cx="6" cy="9" r=".8" fill="currentColor" />
        </symbol>
        <symbol id="i-fail" viewBox="0 0 12 12">
          <rect x=".5" y=".5" width="11" height="11" rx="2" fill="currentColor" />
          <path
            class="cut"
            d="m3.6 3.6 4.8 4.8m0-4.8L3.6 8.4"
            fill="none"
            stroke-width="1.5"
            stroke-linecap="round"
          />
        </symbol>
        <symbol id="i-up" viewBox="0 0 12 12">
          <path d="m2.4 8.8 6.6-6m-4.4-.2L9 2.7v4.5" stroke-width="1.5" {...line} />
        </symbol>
        <symbol id="i-down" viewBox="0 0 12 12">
          <path d="m2.4 3.2 6.6 6m-4.4.2L9 9.3V4.8" stroke-width="1.5" {...line} />
        </symbol>
        <symbol id="i-flat" viewBox="0 0 12 12">
          <path d="M1.4 6h8.4M6.8 3l3 3-3 3" stroke-width="1.5" {...line} />
        </symbol>
        <pattern id="hatch" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
          <path class="hatch" d="M0 0V7" stroke-width="2" />
        </pattern>
        <Severity level={1} />
        <Severity level={2} />
        <Severity level={3} />
      </defs>
    </svg>
  );
}

/** One, two or three filled bars. */
function Severity({ level }: { level: 1 | 2 | 3 }): JSX.Element {
  const bars = [
    { x: 1, y: 7 },
    { x: 4.8, y: 4 },
    { x: 8.6, y: 1 },
  ];
  return (
    <symbol id={`i-sev-${level}`} viewBox="0 0 12 12">
      {bars.map(({ x, y }, i) => (
        <rect
          x={x}
          y={y}
          width={2.4}
          height={11 - y}
          rx=".6"
          fill={i < level ? "currentColor" : "none"}
          stroke="currentColor"
          stroke-width=".8"
        />
      ))}
    </symbol>
  );
}

/** Names of the icons in {@link Sprite}. */
export type IconName =
  | "logo"
  | "live"
  | "wait"
  | "stale"
  | "offline"
  | "run"
  | "ok"
  | "fail"
  | "suspect"
  | "up"
  | "down"
  | "flat"
  | "sev-1"
  | "sev-2"
  | "sev-3";

/** An icon beside a word that says the same. */
export function Icon({ name, class: extra }: { name: IconName; class?: string }): JSX.Element {
  return (
    <svg class={extra === undefined ? "i" : `i ${extra}`} aria-hidden="true">
      <use href={`#i-${name}`} />
    </svg>
  );
}
