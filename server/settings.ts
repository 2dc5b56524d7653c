import { DEFAULT_CITIES } from "../core/city.ts";
import { LOG_LEVELS } from "../core/log.ts";
import {
  citiesFile,
  cron,
  decimal,
  host,
  hosts,
  integer,
  type Kind,
  matching,
  oneOf,
  someOf,
  url,
} from "./kinds.ts";

/** The parts of the program that a process may run. */
export const ROLES = ["producer", "consumer", "analytics", "web"] as const;
/** One of {@link ROLES}. */
export type Role = (typeof ROLES)[number];

/** One setting of the program. `T` is its value, `D` what it is when nobody set it. */
export interface Setting<T = unknown, D = unknown> {
  /** Environment variable. */
  readonly name: string;
  /** Allowed values. */
  readonly kind: Kind<T>;
  /** The value when the variable is not set. */
  readonly default: D;
  /** As it is written in `.env`: the default or, where {@link Setting.otherwise} is there, an example. */
  readonly written: string;
  /** What happens when it is not set, where no text could say the same. */
  readonly otherwise?: string;
  /** Unit of the value. */
  readonly unit?: string;
  /** What it is for: one sentence. */
  readonly meaning: string;
  /** Its value is never printed. */
  readonly secret?: true;
}

/** Lets TypeScript find the types of one line of the table. */
const setting = <T, const D extends NoInfer<T> | null>(line: Setting<T, D>): Setting<T, D> => line;

/** Every setting there is. `Config`, `.env.example` and `docs/configuration.md` are made from this table. */
export const SETTINGS = {
  port: setting({
    name: "PORT",
    kind: integer(0, 65_535),
    default: 3000,
    written: "3000",
    meaning: "Port of the web server; 0 takes any that is free.",
  }),
  host: setting({
    name: "HOST",
    kind: host,
    default: "127.0.0.1",
    written: "127.0.0.1",
    meaning: "Address the web server listens on; beyond loopback only together with `AUTH`.",
  }),
  allowedHosts: setting({
    name: "ALLOWED_HOSTS",
    kind: hosts,
    default: [],
    written: "weather.example.org",
    otherwise: "only loopback names and `HOST`",
    meaning: "Names under which a browser may reach the server, beside loopback and `HOST`.",
  }),
  auth: setting({
    name: "AUTH",
    kind: oneOf(["none"]),
    default: null,
    written: "none",
    otherwise: "loopback only",
    meaning: "How visitors are told apart; `none` lets in everybody who reaches `HOST`.",
  }),
  dataDir: setting({
    name: "DATA_DIR",
    kind: matching(/^[^\u0000-\u001f\u007f]+$/, "the path of a folder"),
    default: "./data",
    written: "./data",
    meaning: "Folder of the embedded log and of the local lake; made when it is not there.",
  }),
  dataset: setting({
    name: "DATASET",
    kind: matching(/^[a-z0-9-]{1,40}$/, "1 to 40 of a–z, 0–9 and -"),
    default: null,
    written: "observed",
    otherwise: "`observed` or `simulated`, by the source",
    meaning: "Data set inside the lake; data sets never mix.",
  }),
  cities: setting({
    name: "CITIES_FILE",
    kind: citiesFile,
    default: DEFAULT_CITIES,
    written: "./cities.json",
    otherwise: DEFAULT_CITIES.map((city) => city.name).join(", "),
    meaning: "Places whose weather is collected, with coordinates and IANA time zones.",
  }),
  weatherSource: setting({
    name: "WEATHER_SOURCE",
    kind: oneOf(["auto", "openweathermap", "open-meteo", "simulator", "none"]),
    default: "auto",
    written: "auto",
    meaning:
      "Where observations come from; `auto`: OpenWeatherMap with a key, else Open-Meteo when it answers, else the simulator.",
  }),
  openweathermapApiKey: setting({
    name: "OPENWEATHERMAP_API_KEY",
    kind: matching(/^[\u0021-\u007e]{1,200}$/, "the key of an OpenWeatherMap account, without spaces"),
    default: null,
    written: "0123456789abcdef0123456789abcdef",
    otherwise: "no key",
    meaning: "Lets the program ask OpenWeatherMap; its value is never printed.",
    secret: true,
  }),
  openweathermapUrl: setting({
    name: "OPENWEATHERMAP_URL",
    kind: url,
    default: "https://api.openweathermap.org",
    written: "https://api.openweathermap.org",
    meaning: "Where OpenWeatherMap answers; `/data/2.5/weather` is added.",
  }),
  openMeteoUrl: setting({
    name: "OPEN_METEO_URL",
    kind: url,
    default: "https://api.open-meteo.com",
    written: "https://api.open-meteo.com",
    meaning: "Where Open-Meteo answers; `/v1/forecast` is added.",
  }),
  simulatorSeed: setting({
    name: "SIMULATOR_SEED",
    kind: integer(0, 4_294_967_295),
    default: 1,
    written: "1",
    meaning: "Seed of the simulator: the same seed gives the same weather.",
  }),
  pollSeconds: setting({
    name: "POLL_SECONDS",
    kind: decimal(0.1, 86_400),
    default: null,
    written: "300",
    otherwise: "the source's own",
    unit: "s",
    meaning: "Time between two polls of the source.",
  }),
  batchRecords: setting({
    name: "BATCH_RECORDS",
    kind: integer(1, 1_000_000),
    default: 100,
    written: "100",
    unit: "records",
    meaning: "A full batch: as many records are committed to the lake at once.",
  }),
  batchRecordsMax: setting({
    name: "BATCH_RECORDS_MAX",
    kind: integer(1, 1_000_000),
    default: 20_000,
    written: "20000",
    unit: "records",
    meaning: "How far a batch may grow while the consumer is behind; at least `BATCH_RECORDS`.",
  }),
  flushSeconds: setting({
    name: "FLUSH_SECONDS",
    kind: decimal(0.1, 3600),
    default: 5,
    written: "5",
    unit: "s",
    meaning: "The longest an incomplete batch waits before it is committed.",
  }),
  logRetentionHours: setting({
    name: "LOG_RETENTION_HOURS",
    kind: integer(1, 87_600),
    default: 168,
    written: "168",
    unit: "h",
    meaning: "How long the log keeps a record; the lake keeps it for good.",
  }),
  compactAfterHours: setting({
    name: "COMPACT_AFTER_HOURS",
    kind: integer(0, 8760),
    default: 2,
    written: "2",
    unit: "h",
    meaning:
      "How long after its end an hour, and after its last hour a UTC day, counts as closed for compaction.",
  }),
  analyticsCron: setting({
    name: "ANALYTICS_CRON",
    kind: cron,
    default: "*/5 * * * *",
    written: "*/5 * * * *",
    unit: "UTC",
    meaning: "When the analytic jobs run that have no schedule of their own.",
  }),
  roles: setting({
    name: "ROLES",
    kind: someOf(ROLES),
    default: ROLES,
    written: ROLES.join(","),
    meaning: "The parts of the program this process runs.",
  }),
  logLevel: setting({
    name: "LOG_LEVEL",
    kind: oneOf(LOG_LEVELS),
    default: "info",
    written: "info",
    meaning: "The lowest level that is logged.",
  }),
  logFormat: setting({
    name: "LOG_FORMAT",
    kind: oneOf(["text", "json"]),
    default: "json",
    written: "json",
    otherwise: "`text` on a terminal, `json` otherwise",
    meaning: "How a log line is written: for people, or one JSON object a line.",
  }),
  shutdownSeconds: setting({
    name: "SHUTDOWN_SECONDS",
    kind: decimal(0.1, 3600),
    default: 10,
    written: "10",
    unit: "s",
    meaning: "How long the program takes at most to stop once it is asked to.",
  }),
};
