import type { Frame } from "../../../views/pages/layout.tsx";
import type { Services } from "../../answers/services.ts";
import { type LiveWanted, liveAddress } from "../../live/live-address.ts";
import type { Assets } from "./assets.ts";

/** What every page shows around its content. */
export function frameOf(
  services: Services,
  assets: Assets,
  now: number,
  { live = {}, ...page }: Pick<Frame, "path" | "title" | "whole" | "units"> & { live?: LiveWanted },
): Frame {
  const { version, dataset, kind, source, staleAfterSeconds } = services.about;
  return {
    ...page,
    version,
    dataset,
    kind,
    source,
    staleAfterSeconds,
    now,
    live: liveAddress(services, live),
    assets: {
      styles: assets.url("styles"),
      icon: assets.url("icon"),
      theme: assets.url("theme"),
      boot: assets.url("boot"),
      htmx: assets.url("htmx"),
    },
  };
}
