import { DEFAULT_CITIES } from "../../core/city.ts";
import { LOG_LEVELS } from "../../core/log.ts";
import {
  alertsFile,
  brokers,
  citiesFile,
  cron,
  decimal,
  host,
  hostAndPort,
  hosts,
  integer,
  type Kind,
  mailAddress,
  matching,
  oneOf,
  origins,
  smtpUrl,
  someOf,
  textFile,
  url,
  urls,
} from "./setting-kinds.ts";

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
  corsOrigins: setting({
    name: "CORS_ORIGINS",
    kind: origins,
    default: [],
    written: "https://weather.example.org",
    otherwise: "none but the server's own pages",
    meaning:
      "Origins whose web pages may read `/api` and `/live`; what changes something stays refused to them.",
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
    meaning:
      "Places whose weather is collected, with coordinates and IANA time zones; `elevation` (m) and `metar` (ICAO id) may follow.",
  }),
  weatherSource: setting({
    name: "WEATHER_SOURCE",
    kind: oneOf(["auto", "openweathermap", "open-meteo", "metar", "simulator", "none"]),
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
  openMeteoArchiveUrl: setting({
    name: "OPEN_METEO_ARCHIVE_URL",
    kind: url,
    default: "https://archive-api.open-meteo.com",
    written: "https://archive-api.open-meteo.com",
    meaning: "Where Open-Meteo's archive answers; `/v1/archive` is added.",
  }),
  metarUrl: setting({
    name: "METAR_URL",
    kind: url,
    default: "https://aviationweather.gov",
    written: "https://aviationweather.gov",
    meaning: "Where the Aviation Weather Center answers; `/api/data/metar` is added.",
  }),
  backfillDays: setting({
    name: "BACKFILL_DAYS",
    kind: integer(0, 3650),
    default: 60,
    written: "60",
    unit: "days",
    meaning:
      "Past of a new data set that is fetched from Open-Meteo's archive in the background, so that baselines exist on the first day; 0 fetches none.",
  }),
  stationsFile: setting({
    name: "STATIONS_FILE",
    kind: matching(/^[^\u0000-\u001f\u007f]+$/, "the path of a file"),
    default: null,
    written: "./stations.json",
    otherwise: "`stations.json` in `DATA_DIR`",
    meaning:
      "Stations of one's own that push; `bun run station:add` writes it, and docs/stations.md describes it.",
  }),
  stationsListen: setting({
    name: "STATIONS_LISTEN",
    kind: hostAndPort,
    default: null,
    written: "0.0.0.0:8000",
    otherwise: "only where the web server listens",
    meaning: "Where stations are listened to as well, with nothing else behind it: `host:port`.",
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
  kafkaBrokers: setting({
    name: "KAFKA_BROKERS",
    kind: brokers,
    default: null,
    written: "kafka-1:9092,kafka-2:9092",
    otherwise: "the embedded log",
    meaning: "Apache Kafka as the log: where its brokers answer.",
  }),
  kafkaPartitions: setting({
    name: "KAFKA_PARTITIONS",
    kind: integer(1, 1000),
    default: 4,
    written: "4",
    unit: "partitions",
    meaning: "Partitions of the topic; fixed once it is made, because a city must stay in its partition.",
  }),
  kafkaReplication: setting({
    name: "KAFKA_REPLICATION",
    kind: integer(1, 10),
    default: 1,
    written: "1",
    unit: "replicas",
    meaning: "Copies of the topic when it is made; with 3 a broker may be lost without loss of data.",
  }),
  kafkaGroup: setting({
    name: "KAFKA_GROUP",
    kind: matching(/^[A-Za-z0-9._-]{1,100}$/, "1 to 100 letters, digits, ., _ and -"),
    default: "isobar",
    written: "isobar",
    meaning: "Consumer group; its offsets are a hint for lag displays, the lake's commits decide.",
  }),
  kafkaTls: setting({
    name: "KAFKA_TLS",
    kind: oneOf(["on", "off"]),
    default: "off",
    written: "off",
    meaning: "Whether the brokers are reached over TLS.",
  }),
  kafkaCa: setting({
    name: "KAFKA_CA_FILE",
    kind: textFile,
    default: null,
    written: "/etc/isobar/ca.pem",
    otherwise: "the machine's own authorities",
    meaning: "PEM file of the authority that signed the brokers' certificates.",
  }),
  kafkaCert: setting({
    name: "KAFKA_CERT_FILE",
    kind: textFile,
    default: null,
    written: "/etc/isobar/client.pem",
    otherwise: "no client certificate",
    meaning: "PEM file of this client's certificate; wanted together with `KAFKA_KEY_FILE`.",
  }),
  kafkaKey: setting({
    name: "KAFKA_KEY_FILE",
    kind: textFile,
    default: null,
    written: "/etc/isobar/client.key",
    otherwise: "no client certificate",
    meaning: "PEM file of the private key of `KAFKA_CERT_FILE`.",
  }),
  kafkaSasl: setting({
    name: "KAFKA_SASL",
    kind: oneOf(["plain", "scram-sha-256", "scram-sha-512"]),
    default: null,
    written: "scram-sha-512",
    otherwise: "no password",
    meaning: "How the brokers check `KAFKA_USERNAME` and `KAFKA_PASSWORD`.",
  }),
  kafkaUsername: setting({
    name: "KAFKA_USERNAME",
    kind: matching(/^[\u0021-\u007e]{1,200}$/, "a user name without spaces"),
    default: null,
    written: "isobar",
    otherwise: "no user",
    meaning: "User name for `KAFKA_SASL`.",
  }),
  kafkaPassword: setting({
    name: "KAFKA_PASSWORD",
    kind: matching(/^[^\u0000-\u001f\u007f]{1,500}$/, "a password"),
    default: null,
    written: "change-me",
    otherwise: "no password",
    meaning: "Password for `KAFKA_SASL`; its value is never printed.",
    secret: true,
  }),
  webhdfsUrls: setting({
    name: "WEBHDFS_URL",
    kind: urls,
    default: null,
    written: "http://namenode:9870",
    otherwise: "a local folder",
    meaning: "HDFS as the lake: where the web interface of the NameNode answers, of several all of them.",
  }),
  hdfsUri: setting({
    name: "HDFS_URI",
    kind: matching(/^hdfs:\/\/[A-Za-z0-9.-]+(:\d{1,5})?$/, "hdfs://host:port or hdfs://nameservice"),
    default: null,
    written: "hdfs://namenode:8020",
    otherwise: "`hdfs://` with the host of `WEBHDFS_URL` and port 8020",
    meaning: "How Spark names the same HDFS.",
  }),
  hdfsRoot: setting({
    name: "HDFS_ROOT",
    kind: matching(
      /^(\/(?!\.{1,2}(\/|$))[A-Za-z0-9._-]+)+$/,
      "an absolute path of letters, digits, ., _ and -",
    ),
    default: "/isobar",
    written: "/isobar",
    meaning: "Folder of the lake in HDFS; each data set has its own below it.",
  }),
  hdfsUser: setting({
    name: "HDFS_USER",
    kind: matching(/^[a-z_][a-z0-9_.-]{0,60}$/i, "a user name"),
    default: "isobar",
    written: "isobar",
    meaning: "User that HDFS and Spark see (`user.name`).",
  }),
  hdfsToken: setting({
    name: "HDFS_TOKEN",
    kind: matching(/^[A-Za-z0-9_=-]{1,2000}$/, "a delegation token"),
    default: null,
    written: "JAAGaXNvYmFy",
    otherwise: "no token",
    meaning: "Delegation token for a secured HDFS; its value is never printed.",
    secret: true,
  }),
  cacheMegabytes: setting({
    name: "CACHE_MEGABYTES",
    kind: integer(16, 10_000_000),
    default: 2048,
    written: "2048",
    unit: "MB",
    meaning: "Most of an HDFS lake that is kept in `DATA_DIR` for reading.",
  }),
  sparkRemote: setting({
    name: "SPARK_REMOTE",
    kind: matching(
      /^sc:\/\/[A-Za-z0-9.-]+:\d{1,5}\/?(;[^;=\s]+=[^;\s]+)*$/,
      "sc://host:port, as Spark Connect writes it",
    ),
    default: null,
    written: "sc://spark:15002",
    otherwise: "DuckDB in the same process",
    meaning: "Apache Spark as the engine of jobs and compaction: where its Connect server answers.",
  }),
  sparkToken: setting({
    name: "SPARK_TOKEN",
    kind: matching(/^[\u0021-\u007e]{1,2000}$/, "a token without spaces"),
    default: null,
    written: "change-me",
    otherwise: "no token",
    meaning: "Token of the Connect server; its value is never printed.",
    secret: true,
  }),
  alertsFile: setting({
    name: "ALERTS_FILE",
    kind: alertsFile,
    default: null,
    written: "./alerts.json",
    otherwise: "no alerts",
    meaning: "Channels and rules of alerts, as docs/alerts.md describes them.",
  }),
  alertWebhookHosts: setting({
    name: "ALERT_WEBHOOK_HOSTS",
    kind: hosts,
    default: [],
    written: "homeassistant.local",
    otherwise: "only hosts on the open internet",
    meaning: "Hosts of webhooks that may be on loopback, private and other inner addresses.",
  }),
  smtpUrl: setting({
    name: "SMTP_URL",
    kind: smtpUrl,
    default: null,
    written: "smtp://isobar:change-me@mail.example.org:587",
    otherwise: "no e-mail",
    meaning: "Where e-mails of alerts are handed in; its value is never printed.",
    secret: true,
  }),
  smtpFrom: setting({
    name: "SMTP_FROM",
    kind: mailAddress,
    default: null,
    written: "isobar@example.org",
    otherwise: "no e-mail",
    meaning: "Sender of the e-mails of alerts; wanted together with `SMTP_URL`.",
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
