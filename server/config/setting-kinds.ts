import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { isMailAddress } from "../../core/alert-channel.ts";
import { type AlertsFile, parseAlertsFile } from "../../core/alert-rule.ts";
import { type City, parseCities } from "../../core/city.ts";
import { codeOf, messageOf } from "../../core/errors.ts";
import { type Kind, kind, splitList, url } from "../../core/setting.ts";

/** An IP address or a host name, without a port. */
export const host: Kind<string> = kind("an IP address or a host name, without a port", (text) =>
  isHost(text) ? text : undefined,
);

/** Host names or IP addresses separated by commas, in lower case. */
export const hosts: Kind<readonly string[]> = kind(
  "host names or IP addresses without a port, separated by commas",
  (text) => {
    const names = splitList(text.toLowerCase());
    return names.every(isHost) ? names : undefined;
  },
);

/** Origins of web pages separated by commas, or `*`; as a browser writes them. */
export const origins: Kind<readonly string[]> = kind(
  "`*`, or origins such as https://weather.example.org, separated by commas",
  (text) => {
    if (text.trim() === "*") return ["*"];
    const all = splitList(text).map((one) => {
      const parsed = /^https?:\/\/[^\s\\/?#@]+\/?$/i.test(one) ? URL.parse(one) : null;
      return parsed?.origin;
    });
    return all.every((one) => one !== undefined) ? all : undefined;
  },
);

/** An SMTP server with its user. It holds a password: see `secret` of the setting. */
export const smtpUrl: Kind<string> = kind(
  "smtp://user:password@host:587 or smtps://…, user and password percent-encoded",
  (text) => {
    const parsed = /^smtps?:\/\/[^\s\\/?#]+\/?$/.test(text) ? URL.parse(text) : null;
    if (parsed === null || parsed.hostname === "") return undefined;
    try {
      decodeURIComponent(parsed.username + parsed.password);
    } catch {
      return undefined;
    }
    return parsed.href;
  },
);

/** A plain e-mail address. */
export const mailAddress: Kind<string> = kind("an e-mail address such as isobar@example.org", (text) =>
  isMailAddress(text) ? text : undefined,
);

/** `host:port` pairs separated by commas. */
export const brokers: Kind<readonly string[]> = kind(
  "host:port, several of them separated by commas",
  (text) => {
    const all = splitList(text);
    return all.every((broker) => splitPort(broker) !== undefined) ? all : undefined;
  },
);

/** One `host:port`. */
export const hostAndPort: Kind<{ host: string; port: number }> = kind(
  "host:port, such as 0.0.0.0:8000",
  splitPort,
);

/** Addresses of one service, as {@link url} takes them, separated by commas. */
export const urls: Kind<readonly string[]> = {
  ...kind("http or https URLs without user name, query or fragment, separated by commas", (text) => {
    try {
      return splitList(text).map((one) => url.parse(one));
    } catch {
      return undefined; // what was wanted is said for the list
    }
  }),
  show: (text) =>
    splitList(text)
      .map((one) => url.show!(one))
      .join(","),
};

/** A file that is there; the value is its content. */
export const textFile: Kind<string> = {
  wanted: "the path of a file",
  parse(path) {
    try {
      return readFileSync(path, "utf8");
    } catch (error) {
      throw new TypeError(`the file cannot be read (${codeOf(error) ?? messageOf(error)})`, { cause: error });
    }
  },
};

/** A cron expression of five fields that comes round at some time. */
export const cron: Kind<string> = kind("a cron expression: minute hour day month weekday", (text) => {
  if (text.split(" ").length !== 5) return undefined;
  try {
    return Bun.cron.parse(text) === null ? undefined : text;
  } catch {
    return undefined; // its own message says less than what is wanted
  }
});

/** A JSON file of cities, read when it is parsed. */
export const citiesFile: Kind<readonly City[]> = jsonFile(
  "the path of a JSON file: [{ name, latitude, longitude, zone, elevation?, metar? }]",
  parseCities,
);

/** A JSON file of channels and rules of alerts, read when it is parsed. */
export const alertsFile: Kind<AlertsFile> = jsonFile(
  "the path of a JSON file: { channels, rules }",
  parseAlertsFile,
);

/** A JSON file whose content `read` checks with a TypeError. */
function jsonFile<T>(wanted: string, read: (input: unknown) => T): Kind<T> {
  return {
    wanted,
    parse(path) {
      const text = textFile.parse(path);
      try {
        return read(JSON.parse(text));
      } catch (error) {
        throw error instanceof SyntaxError ? new TypeError("the file is not JSON", { cause: error }) : error;
      }
    },
  };
}

function isHost(text: string): boolean {
  if (isIP(text) !== 0) return true;
  // The last label needs a letter: 1.2.3.400 and 127.1 are no names.
  return text.length <= 253 && /^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)*[a-z]([a-z0-9-]*[a-z0-9])?$/i.test(text);
}

/** Host and port of `host:port`, where an IPv6 address is in brackets; undefined when it is none. */
function splitPort(text: string): { host: string; port: number } | undefined {
  const [, address, name = "", port] = /^(?:\[([0-9a-f:]+)\]|([^:]+)):(\d{1,5})$/i.exec(text) ?? [];
  const found = address ?? name;
  return port !== undefined && Number(port) <= 65_535 && isHost(found)
    ? { host: found, port: Number(port) }
    : undefined;
}
