import type { Flag } from "../../core/quality.ts";
import { Icon, type IconName } from "./icons.tsx";

const FLAGS: Record<Flag, { word: string; icon: IconName; style: string }> = {
  1: { word: "good", icon: "ok", style: "st-ok" },
  2: { word: "not evaluated", icon: "wait", style: "st-wait" },
  3: { word: "suspect", icon: "suspect", style: "st-stale" },
  4: { word: "failed", icon: "fail", style: "st-err" },
  9: { word: "missing", icon: "wait", style: "st-wait" },
};

/** What quality control says of a value: a shape and a word. */
export function FlagMark({ flag }: { flag: Flag }): JSX.Element {
  const { word, icon, style } = FLAGS[flag];
  return (
    <span class={`st ${style}`} title={`quality flag ${flag}`}>
      <Icon name={icon} />
      <span safe>{word}</span>
    </span>
  );
}
