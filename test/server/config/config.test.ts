import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DEFAULT_CITIES } from "../../../core/city.ts";
import { ConfigError } from "../../../core/errors.ts";
import type { Setting } from "../../../core/setting.ts";
import { generatedFiles } from "../../../server/commands/docs.ts";
import { withTables } from "../../../server/commands/docs/variable-docs.ts";
import { type Config, loadConfig } from "../../../server/config/config.ts";
import { SETTINGS } from "../../../server/config/settings.ts";

const root = join(import.meta.dir, "../../..");
const settings: Setting[] = Object.values(SETTINGS);
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "isobar-config-"));
});
afterAll(() => rm(folder, { recursive: true }));

const load = (env: Record<string, string | undefined>): Config =>
  loadConfig(env, { isTerminal: false }).config;
const warningsOf = (env: Record<string, string>): string[] => loadConfig(env, { isTerminal: false }).warnings;

function refusal(env: Record<string, string>): string {
  try {
    load(env);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as ConfigError).code).toBe("bad_setting");
    return (error as ConfigError).message;
  }
  throw new Error(`loadConfig() took ${JSON.stringify(env)}`);
}

describe("loadConfig()", () => {
  test("gives the defaults without a variable", () => {
    expect(load({})).toEqual({
      port: 3000,
      host: "127.0.0.1",
      allowedHosts: [],
      corsOrigins: [],
      auth: null,
      dataDir: "./data",
      dataset: null,
      cities: DEFAULT_CITIES,
      weatherSource: "auto",
      openweathermapApiKey: null,
      openweathermapUrl: "https://api.openweathermap.org",
      openMeteoUrl: "https://api.open-meteo.com",
      openMeteoArchiveUrl: "https://archive-api.open-meteo.com",
      metarUrl: "https://aviationweather.gov",
      backfillDays: 60,
      stationsFile: null,
      stationsListen: null,
      simulatorSeed: 1,
      pollSeconds: null,
      batchRecords: 100,
      batchRecordsMax: 20_000,
      flushSeconds: 5,
      logRetentionHours: 168,
      compactAfterHours: 2,
      analyticsCron: "*/5 * * * *",
      roles: ["producer", "consumer", "analytics", "web"],
      kafkaBrokers: null,
      kafkaPartitions: 4,
      kafkaReplication: 1,
      kafkaGroup: "isobar",
      kafkaTls: "off",
      kafkaCa: null,
      kafkaCert: null,
      kafkaKey: null,
      kafkaSasl: null,
      kafkaUsername: null,
      kafkaPassword: null,
      webhdfsUrls: null,
      hdfsUri: null,
      hdfsRoot: "/isobar",
      hdfsUser: "isobar",
      hdfsToken: null,
      cacheMegabytes: 2048,
      sparkRemote: null,
      sparkToken: null,
      alertsFile: null,
      alertWebhookHosts: [],
      smtpUrl: null,
      smtpFrom: null,
      logLevel: "info",
      logFormat: "json",
      shutdownSeconds: 10,
    });
  });

  test("reads every setting", async () => {
    const cities = [
      { name: "Oslo", latitude: 59.9, longitude: 10.7, zone: "Europe/Oslo", elevation: 23, metar: "ENGM" },
    ];
    await Bun.write(join(folder, "cities.json"), JSON.stringify(cities));
    await Bun.write(join(folder, "ca.pem"), "PEM");
    const channels = [{ name: "mail", type: "email", to: ["a@example.org"] }];
    await Bun.write(join(folder, "alerts.json"), JSON.stringify({ channels }));
    expect(
      load({
        PORT: "0",
        HOST: "0.0.0.0",
        ALLOWED_HOSTS: "Weather.example.org, 10.0.0.7,::1",
        CORS_ORIGINS: "https://Weather.example.org, http://localhost:8080/",
        AUTH: "none",
        DATA_DIR: "/srv/my data",
        DATASET: "station-7",
        CITIES_FILE: join(folder, "cities.json"),
        WEATHER_SOURCE: "openweathermap",
        OPENWEATHERMAP_API_KEY: "k3y",
        OPENWEATHERMAP_URL: "http://localhost:8080/owm/",
        OPEN_METEO_URL: "https://meteo.example.org",
        OPEN_METEO_ARCHIVE_URL: "https://past.example.org/",
        METAR_URL: "http://localhost:8080",
        BACKFILL_DAYS: "365",
        STATIONS_FILE: "/srv/stations.json",
        STATIONS_LISTEN: "[::]:8000",
        SIMULATOR_SEED: "4294967295",
        POLL_SECONDS: "0.5",
        BATCH_RECORDS: "1",
        BATCH_RECORDS_MAX: "1",
        FLUSH_SECONDS: "0.25",
        LOG_RETENTION_HOURS: "24",
        COMPACT_AFTER_HOURS: "0",
        ANALYTICS_CRON: "0,30 6-18 * * MON-FRI",
        ROLES: "web, producer",
        KAFKA_BROKERS: "kafka-1:9092, 10.0.0.7:9092,[::1]:9092",
        KAFKA_PARTITIONS: "12",
        KAFKA_REPLICATION: "3",
        KAFKA_GROUP: "weather",
        KAFKA_TLS: "on",
        KAFKA_CA_FILE: join(folder, "ca.pem"),
        KAFKA_CERT_FILE: join(folder, "ca.pem"),
        KAFKA_KEY_FILE: join(folder, "ca.pem"),
        KAFKA_SASL: "scram-sha-512",
        KAFKA_USERNAME: "alice",
        KAFKA_PASSWORD: "a pass word",
        WEBHDFS_URL: "http://nn-1:9870/, https://nn-2:9871",
        HDFS_URI: "hdfs://cluster",
        HDFS_ROOT: "/data/weather",
        HDFS_USER: "weather",
        HDFS_TOKEN: "JAAG",
        CACHE_MEGABYTES: "64",
        SPARK_REMOTE: "sc://spark:15002/;use_ssl=true",
        SPARK_TOKEN: "t0ken",
        ALERTS_FILE: join(folder, "alerts.json"),
        ALERT_WEBHOOK_HOSTS: "Home.local, 10.0.0.7",
        SMTP_URL: "smtp://me:p%40ss@mail.example.org:587",
        SMTP_FROM: "isobar@example.org",
        LOG_LEVEL: "debug",
        LOG_FORMAT: "text",
        SHUTDOWN_SECONDS: "30",
      }),
    ).toEqual({
      port: 0,
      host: "0.0.0.0",
      allowedHosts: ["weather.example.org", "10.0.0.7", "::1"],
      corsOrigins: ["https://weather.example.org", "http://localhost:8080"],
      auth: "none",
      dataDir: "/srv/my data",
      dataset: "station-7",
      cities: [
        {
          name: "Oslo",
          slug: "oslo",
          latitude: 59.9,
          longitude: 10.7,
          zone: "Europe/Oslo",
          elevation: 23,
          metar: "ENGM",
        },
      ],
      weatherSource: "openweathermap",
      openweathermapApiKey: "k3y",
      openweathermapUrl: "http://localhost:8080/owm",
      openMeteoUrl: "https://meteo.example.org",
      openMeteoArchiveUrl: "https://past.example.org",
      metarUrl: "http://localhost:8080",
      backfillDays: 365,
      stationsFile: "/srv/stations.json",
      stationsListen: { host: "::", port: 8000 },
      simulatorSeed: 4_294_967_295,
      pollSeconds: 0.5,
      batchRecords: 1,
      batchRecordsMax: 1,
      flushSeconds: 0.25,
      logRetentionHours: 24,
      compactAfterHours: 0,
      analyticsCron: "0,30 6-18 * * MON-FRI",
      roles: ["producer", "web"],
      kafkaBrokers: ["kafka-1:9092", "10.0.0.7:9092", "[::1]:9092"],
      kafkaPartitions: 12,
      kafkaReplication: 3,
      kafkaGroup: "weather",
      kafkaTls: "on",
      kafkaCa: "PEM",
      kafkaCert: "PEM",
      kafkaKey: "PEM",
      kafkaSasl: "scram-sha-512",
      kafkaUsername: "alice",
      kafkaPassword: "a pass word",
      webhdfsUrls: ["http://nn-1:9870", "https://nn-2:9871"],
      hdfsUri: "hdfs://cluster",
      hdfsRoot: "/data/weather",
      hdfsUser: "weather",
      hdfsToken: "JAAG",
      cacheMegabytes: 64,
      sparkRemote: "sc://spark:15002/;use_ssl=true",
      sparkToken: "t0ken",
      alertsFile: {
        channels: [{ name: "mail", type: "email", to: ["a@example.org"], quietHours: null }],
        rules: [],
      },
      alertWebhookHosts: ["home.local", "10.0.0.7"],
      smtpUrl: "smtp://me:p%40ss@mail.example.org:587",
      smtpFrom: "isobar@example.org",
      logLevel: "debug",
      logFormat: "text",
      shutdownSeconds: 30,
    });
  });

  test("logs as text on a terminal unless LOG_FORMAT says otherwise", () => {
    expect(loadConfig({}, { isTerminal: true }).config.logFormat).toBe("text");
    expect(loadConfig({ LOG_FORMAT: "json" }, { isTerminal: true }).config.logFormat).toBe("json");
  });

  test("names every wrong setting, its value and what is wanted in one message", () => {
    expect(refusal({ PORT: "70000", LOG_LEVEL: "INFO", DATASET: "Observed", FLUSH_SECONDS: "5" })).toBe(
      `Cannot start, 3 settings are wrong:
  PORT is "70000": wanted a whole number from 0 to 65535
  DATASET is "Observed": wanted 1 to 40 of a–z, 0–9 and -
  LOG_LEVEL is "INFO": wanted debug, info, warn or error`,
    );
  });

  const badNumbers = [
    "",
    " ",
    " 5",
    "5 ",
    "1e3",
    "0x10",
    "NaN",
    "Infinity",
    "-1",
    "+1",
    "1_000",
    "010",
    "5.",
    "٣",
  ];
  test.each(badNumbers)("refuses the number %p", (text) => {
    for (const name of ["PORT", "POLL_SECONDS", "BATCH_RECORDS", "FLUSH_SECONDS", "SIMULATOR_SEED"]) {
      const value = text === "" ? "empty" : JSON.stringify(text);
      expect(refusal({ [name]: text })).toMatch(
        `${name} is ${value}: wanted a ${/SECONDS/.test(name) ? "" : "whole "}number from `,
      );
    }
  });

  test("refuses a fraction where a whole number is wanted, and numbers out of range", () => {
    expect(refusal({ BATCH_RECORDS: "1.5" })).toContain("whole number from 1 to 1000000");
    expect(refusal({ BATCH_RECORDS: "0" })).toContain("whole number from 1 to 1000000");
    expect(refusal({ FLUSH_SECONDS: "0" })).toContain("number from 0.1 to 3600");
    expect(refusal({ PORT: "65536" })).toContain("whole number from 0 to 65535");
  });

  test("refuses an empty value of any setting", () => {
    for (const { name } of settings) expect(refusal({ [name]: "" })).toContain(`${name} is `);
  });

  test.each([
    ["OPEN_METEO_URL", "ftp://example.org"],
    ["OPEN_METEO_URL", "example.org"],
    ["OPEN_METEO_URL", "https://"],
    ["OPEN_METEO_URL", "https://a b"],
    ["ANALYTICS_CRON", "* * * *"],
    ["ANALYTICS_CRON", "* * * * * *"],
    ["ANALYTICS_CRON", "61 * * * *"],
    ["ANALYTICS_CRON", "@daily"],
    ["ANALYTICS_CRON", "0 0 31 2 *"],
    ["HOST", "http://127.0.0.1"],
    ["HOST", "127.0.0.1:3000"],
    ["HOST", "127.0.0.256"],
    ["ALLOWED_HOSTS", "a.example,,b.example"],
    ["ALLOWED_HOSTS", "a.example:3000"],
    ["ROLES", "web,worker"],
    ["ROLES", "web,"],
    ["WEATHER_SOURCE", "noaa"],
    ["AUTH", "no"],
    ["DATASET", "../observed"],
    ["DATASET", "a".repeat(41)],
    ["DATA_DIR", "a\u0000b"],
  ])("refuses %s %p", (name, value) => {
    expect(refusal({ [name]: value })).toStartWith(
      `Cannot start, a setting is wrong:\n  ${name} is ${JSON.stringify(value)}: wanted `,
    );
  });

  test("refuses a host beyond loopback unless AUTH says who may come in", () => {
    expect(refusal({ HOST: "0.0.0.0" })).toContain('HOST is "0.0.0.0": wanted a loopback address');
    expect(refusal({ HOST: "::" })).toContain("AUTH=none");
    expect(load({ HOST: "0.0.0.0", AUTH: "none" }).host).toBe("0.0.0.0");
    expect(load({ HOST: "::1" }).host).toBe("::1");
  });

  test("refuses settings that contradict each other", () => {
    expect(refusal({ BATCH_RECORDS: "200", BATCH_RECORDS_MAX: "199" })).toContain(
      "BATCH_RECORDS_MAX is 199: wanted at least BATCH_RECORDS, which is 200",
    );
    expect(refusal({ WEATHER_SOURCE: "openweathermap" })).toContain("OPENWEATHERMAP_API_KEY is not set");
    expect(refusal({ SMTP_FROM: "a@example.org" })).toContain("SMTP_URL and SMTP_FROM: wanted both or none");
  });

  test("names the place in ALERTS_FILE, and wants an SMTP server for e-mail", async () => {
    const path = join(folder, "bad-alerts.json");
    await Bun.write(path, '{"channels":[{"name":"ops","type":"fax"}]}');
    expect(refusal({ ALERTS_FILE: path })).toContain(
      'channel 1 (ops): type is "fax", wanted webhook, sms or email',
    );
    await Bun.write(path, "{");
    expect(refusal({ ALERTS_FILE: path })).toContain("the file is not JSON");
    await Bun.write(path, '{"channels":[{"name":"mail","type":"email","to":["a@example.org"]}]}');
    expect(refusal({ ALERTS_FILE: path })).toContain('because ALERTS_FILE has the channel "mail" for e-mail');
  });

  test("never shows a secret", () => {
    const secret = "s3cret with a space";
    const message = refusal({
      OPENWEATHERMAP_API_KEY: secret,
      OPENWEATHERMAP_URL: "https://user:s3cret@example.org/?appid=s3cret",
      OPEN_METEO_URL: "https://example.org/v1#s3cret",
      SMTP_URL: "mail://me:s3cret@example.org",
    });
    expect(message).toContain("4 settings are wrong");
    expect(message).toContain('OPENWEATHERMAP_URL is "https://…@example.org/?…"');
    expect(message).not.toContain("s3cret");
    expect(warningsOf({ OPENWEATHERMAP_APIKEY: "s3cret" }).join()).not.toContain("s3cret");
  });

  test("names the file and the city when CITIES_FILE is wrong", async () => {
    const path = join(folder, "bad-cities.json");
    await Bun.write(path, '[{"name":"Oslo","latitude":95,"longitude":10.7,"zone":"Europe/Oslo"}]');
    expect(refusal({ CITIES_FILE: path })).toContain(
      `CITIES_FILE is ${JSON.stringify(path)}: city 1 (Oslo): latitude is 95, wanted −90 to 90`,
    );
    await Bun.write(path, "oslo");
    expect(refusal({ CITIES_FILE: path })).toContain(": the file is not JSON");
    expect(refusal({ CITIES_FILE: join(folder, "none") })).toContain("cannot be read (ENOENT)");
    expect(refusal({ CITIES_FILE: folder })).toContain("cannot be read (EISDIR)");
  });

  test("refuses half a login, half a client certificate, and certificates without TLS", async () => {
    expect(refusal({ KAFKA_SASL: "plain", KAFKA_USERNAME: "alice" })).toContain("wanted all three or none");
    const pem = join(folder, "half.pem");
    await Bun.write(pem, "PEM");
    expect(refusal({ KAFKA_TLS: "on", KAFKA_CERT_FILE: pem })).toContain("wanted both or none");
    expect(refusal({ KAFKA_CA_FILE: pem })).toContain("KAFKA_TLS is off");
  });

  test("shows no password or token of the cluster, right or wrong", () => {
    for (const name of ["KAFKA_PASSWORD", "HDFS_TOKEN", "SPARK_TOKEN"]) {
      expect(refusal({ [name]: "s3cret \u0007" })).not.toContain("s3cret");
    }
  });

  test.each([
    ["KAFKA_BROKERS", "kafka"],
    ["KAFKA_BROKERS", "kafka:99999"],
    ["KAFKA_BROKERS", "kafka:9092,"],
    ["WEBHDFS_URL", "namenode:9870"],
    ["WEBHDFS_URL", "http://nn:9870,ftp://nn"],
    ["HDFS_ROOT", "isobar"],
    ["HDFS_ROOT", "/a/../b"],
    ["SPARK_REMOTE", "spark:15002"],
  ])("refuses %s=%s", (name, value) => {
    expect(refusal({ [name]: value })).toContain(`${name} is ${JSON.stringify(value)}: wanted`);
  });

  test("warns of a variable that is nearly a setting", () => {
    expect(warningsOf({ DATADIR: "x", LOG_LEVLE: "debug", flush_seconds: "1" })).toEqual([
      "DATADIR is no setting: is DATA_DIR meant?",
      "LOG_LEVLE is no setting: is LOG_LEVEL meant?",
      "flush_seconds is no setting: is FLUSH_SECONDS meant?",
    ]);
  });

  test("warns of no setting of its own and of no common variable of a system", () => {
    const common =
      "PATH HOME USER SHELL LANG LC_ALL TERM TZ PWD OLDPWD EDITOR PAGER TMPDIR LOGNAME HOSTNAME DISPLAY MAIL CI DATABASE_URL DATABASE LOG_FILE LOG_DIR LOG_PATH CACHE_DIR NODE_ENV NODE_OPTIONS NO_COLOR FORCE_COLOR COLUMNS LINES PYTHONPATH JAVA_HOME HADOOP_HOME SPARK_HOME KAFKA_HOME SSH_AUTH_SOCK XDG_DATA_DIRS XDG_DATA_HOME XDG_CONFIG_DIRS XAUTHORITY MEMORY_PRESSURE_WATCH INVOCATION_ID POD_NAME PORTS HOSTS ROLE";
    const env = Object.fromEntries(common.split(" ").map((name) => [name, "x"]));
    expect(warningsOf(env)).toEqual([]);
    expect(warningsOf({ LOG_LEVEL: "info", LOG_FORMAT: "json" })).toEqual([]);
  });
});

describe("SETTINGS", () => {
  test("writes each default, or an example, as its own kind reads it", async () => {
    for (const { name, kind, default: preset, written, otherwise } of settings) {
      if (name.endsWith("_FILE")) continue; // an example of a path: no such file
      if (otherwise === undefined) expect(kind.parse(written)).toEqual(preset);
      else expect(() => kind.parse(written)).not.toThrow();
    }
  });
});

describe("bun run docs", () => {
  test.each(Object.entries(generatedFiles()))("has been run since %s changed", async (path, text) => {
    expect(await Bun.file(join(root, path)).text()).toBe(text);
  });

  test("refuses a table that nothing makes", () => {
    const page = "<!-- made by `bun run docs`: planets -->\n\n| a |\n\n<!-- end of planets -->";
    expect(() => withTables(page)).toThrow("Cannot make the table planets, wanted columns, units, limits");
  });

  test(".env.example gives the defaults when every line with one is taken in", async () => {
    const example = generatedFiles()[".env.example"] ?? "";
    // Only settings whose default can be written: the others hold an example.
    const env = example.replace(/Example:\n#.*/g, "").replace(/^#([A-Z])/gm, "$1");
    expect(env.match(/^[A-Z_]+=/gm)?.length).toBe(
      settings.filter((setting) => setting.otherwise === undefined).length,
    );
    await Bun.write(join(folder, ".env"), env);
    const print = "console.log(JSON.stringify(process.env))";
    const bun = Bun.spawn([process.execPath, "-e", print], { cwd: folder, env: {}, stderr: "inherit" });
    expect(load(JSON.parse(await bun.stdout.text()))).toEqual(load({}));
  });
});
