import type { Condition } from "./wmo.ts";

/**
 * Phenomena of present weather (WMO-No. 306, code table 4678), the group each belongs to and its words. The first that is
 * reported names the group.
 */
const PHENOMENA: readonly (readonly [string, string, string])[] = [
  ["FC", "Tornado", "funnel cloud"],
  ["SQ", "Squall", "squalls"],
  ["SN", "Snow", "snow"],
  ["SG", "Snow", "snow grains"],
  ["PL", "Snow", "ice pellets"],
  ["IC", "Snow", "ice crystals"],
  ["GR", "Snow", "hail"],
  ["GS", "Snow", "small hail"],
  ["RA", "Rain", "rain"],
  ["UP", "Rain", "precipitation"],
  ["DZ", "Drizzle", "drizzle"],
  ["FG", "Fog", "fog"],
  ["VA", "Ash", "volcanic ash"],
  ["DS", "Dust", "dust storm"],
  ["SS", "Sand", "sand storm"],
  ["PO", "Dust", "dust whirls"],
  ["DU", "Dust", "dust"],
  ["SA", "Sand", "sand"],
  ["FU", "Smoke", "smoke"],
  ["HZ", "Haze", "haze"],
  ["BR", "Mist", "mist"],
];
const DESCRIPTORS: Readonly<Record<string, string>> = {
  MI: "shallow",
  PR: "partial",
  BC: "patches of",
  DR: "drifting",
  BL: "blowing",
  FZ: "freezing",
};
const GROUP = new RegExp(
  `^([-+]|VC)?((?:MI|PR|BC|DR|BL|SH|TS|FZ)*)((?:${PHENOMENA.map(([code]) => code).join("|")})*)$`,
);

/** Cloud cover: its words and the middle of its range in %, in increasing order. Some say nothing of the share. */
const COVERS: readonly (readonly [code: string, condition: Condition, percent: number | null])[] = [
  ["CAVOK", { main: "Clear", description: "no significant clouds" }, null],
  ["NSC", { main: "Clear", description: "no significant clouds" }, null],
  ["NCD", { main: "Clear", description: "no clouds detected" }, null],
  ["SKC", { main: "Clear", description: "clear sky" }, 0],
  ["CLR", { main: "Clear", description: "clear sky" }, 0],
  ["FEW", { main: "Clouds", description: "few clouds" }, 19], // 1–2 eighths
  ["SCT", { main: "Clouds", description: "scattered clouds" }, 44], // 3–4 eighths
  ["BKN", { main: "Clouds", description: "broken clouds" }, 75], // 5–7 eighths
  ["OVC", { main: "Clouds", description: "overcast clouds" }, 100],
  ["OVX", { main: "Clouds", description: "sky obscured" }, 100],
  ["VV", { main: "Clouds", description: "sky obscured" }, 100],
];

/**
 * The present weather of a report in the groups of the record. Of several phenomena the heaviest names it; what is only in
 * the vicinity does not.
 *
 * @param text as in a METAR: `-SHRA BR`, `+TSRA`
 * @returns null where it names no phenomenon that is known
 */
export function conditionOfMetar(text: string): Condition | null {
  let best: { rank: number; condition: Condition } | null = null;
  for (const group of text.trim().split(/\s+/)) {
    const [, sign, descriptors = "", codes = ""] = GROUP.exec(group) ?? [];
    if (sign === "VC" || descriptors + codes === "") continue;
    const found = PHENOMENA.filter(([code]) => pairs(codes).includes(code));
    const thunder = pairs(descriptors).includes("TS");
    if (found.length === 0 && !thunder) continue;
    const rank = thunder ? 0.5 : PHENOMENA.indexOf(found[0]!); // only a tornado comes before a thunderstorm
    if (best !== null && best.rank <= rank) continue;
    const strength = sign === "-" ? ["light"] : sign === "+" ? ["heavy"] : [];
    const kinds = pairs(descriptors).flatMap((code) => DESCRIPTORS[code] ?? []);
    const nouns = found.map(([, , noun]) => noun).join(" and ");
    const showers = pairs(descriptors).includes("SH") ? ["showers"] : [];
    const words = [...strength, ...kinds, nouns, ...showers].filter((word) => word !== "").join(" ");
    const main = thunder ? "Thunderstorm" : found[0]![1];
    const description = !thunder ? words : nouns === "" ? "thunderstorm" : `thunderstorm with ${words}`;
    best = { rank, condition: { main, description } };
  }
  return best?.condition ?? null;
}

/**
 * The sky of a report: its condition where nothing falls from it, and how much of it is covered, %.
 *
 * @param covers codes of the layers, such as FEW and BKN
 * @returns null where there is none that is known
 */
export function skyOfMetar(
  covers: readonly unknown[],
): { condition: Condition; clouds: number | null } | null {
  const found = COVERS.findLast(([code]) => covers.includes(code));
  return found === undefined ? null : { condition: found[1], clouds: found[2] };
}

function pairs(text: string): string[] {
  return text.match(/../g) ?? [];
}
