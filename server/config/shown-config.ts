import type { ServerLink, ShownSetting } from "../../core/about.ts";
import type { Setting } from "../../core/setting.ts";
import type { Config } from "./config.ts";
import { SETTINGS } from "./settings.ts";

/** What the pages may know of the settings. */
export interface ShownConfig {
  settings: ShownSetting[];
  servers: ServerLink[];
}

/** Values longer than this are a file's content or a list nobody wants to read in a table, characters. */
const LONGEST = 120;

/** The settings in force without secrets, and the pages of the servers that are used. */
export function shownConfig(config: Config): ShownConfig {
  const settings = (Object.entries(SETTINGS) as [keyof Config, Setting][]).map(
    ([key, { name, otherwise, unit, meaning, secret, written }]): ShownSetting => ({
      name,
      value: shownValue(name, config[key], secret === true),
      otherwise: otherwise ?? written,
      unit: unit ?? null,
      meaning,
    }),
  );
  const servers = (config.webhdfsUrls ?? []).map((href): ServerLink => ({
    name: `HDFS NameNode ${new URL(href).host}`,
    href: `${href}/`,
  }));
  const spark = /^sc:\/\/([^:;/]+)/.exec(config.sparkRemote ?? "")?.[1];
  if (spark !== undefined) {
    servers.push({ name: `Spark ${spark}, at its usual port`, href: `http://${spark}:${SPARK_UI_PORT}/` });
  }
  return { settings, servers };
}

/** Where a Spark application shows its pages unless told otherwise (spark.ui.port). */
const SPARK_UI_PORT = 4040;
/** Settings whose value is the content of a file. */
const FILES = /_FILE$/;

function shownValue(name: string, value: unknown, secret: boolean): string | null {
  if (value === null || value === undefined) return null;
  if (secret) return "set";
  if (name === "CITIES_FILE") return `${(value as readonly unknown[]).length} cities`;
  if (FILES.test(name) && name !== "STATIONS_FILE") return "set";
  // What follows the address of a Connect server may be a token.
  const text = textOf(value).replace(/^(sc:\/\/[^;]*);.*/, "$1;…");
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}

function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? "none" : value.map(textOf).join(", ");
  if (typeof value === "object" && value !== null) {
    const { host, port } = value as { host?: unknown; port?: unknown };
    return host === undefined ? JSON.stringify(value) : `${String(host)}:${String(port)}`;
  }
  return String(value);
}
