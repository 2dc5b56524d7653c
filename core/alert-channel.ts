import { isZone } from "./city.ts";
import { describe } from "./observation.ts";

/** Daily quiet hours of a channel: it sends nothing, and its messages wait until the end. */
export interface QuietHours {
  /** First quiet minute, in minutes since local midnight. */
  from: number;
  /** First minute after the quiet hours; it is smaller than `from` if they span midnight. */
  to: number;
  /** IANA time zone. */
  zone: string;
}

/** A channel that alert messages are sent to: webhook, SMS gateway or e-mail. */
export type AlertChannel = {
  name: string;
  /** Null if messages are sent at any time. */
  quietHours: QuietHours | null;
} & (
  | { type: "webhook"; url: string; headers: Readonly<Record<string, string>> }
  | {
      type: "sms";
      url: string;
      headers: Readonly<Record<string, string>>;
      contentType: TemplateType;
      /** The body with placeholders; {@link fillTemplate} fills it. */
      body: string;
    }
  | { type: "email"; to: readonly string[] }
);

/** Content types of a body template. The type decides how a value is escaped. */
export const TEMPLATE_TYPES = [
  "application/json",
  "application/x-www-form-urlencoded",
  "text/plain",
] as const;
/** One of {@link TEMPLATE_TYPES}. */
export type TemplateType = (typeof TEMPLATE_TYPES)[number];

/** Placeholders of a body template, written as `{{text}}`. */
export const PLACEHOLDERS = ["text", "id", "type", "rule", "city", "time"] as const;
/** The value of each of {@link PLACEHOLDERS}. */
export type TemplateValues = Record<(typeof PLACEHOLDERS)[number], string>;

/** Largest number of channels in a file, and of addresses in one e-mail. */
const MANY = 100;
const NAME = /^[a-z0-9][a-z0-9-]{0,39}$/;
/** Characters of a header's name (RFC 9110, 5.6.2). */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/;
/** Headers that the delivery sets itself. */
const OWN_HEADERS = new Set([
  "connection",
  "content-length",
  "content-type",
  "expect",
  "host",
  "idempotency-key",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/**
 * Reads the list of channels.
 *
 * @param input parsed JSON: `[{ "name", "type": "webhook" | "sms" | "email", … }]`
 * @throws {TypeError} naming the channel, the field, its value (unless it may be a secret) and what was wanted
 */
export function parseChannels(input: unknown): AlertChannel[] {
  if (!Array.isArray(input) || input.length === 0 || input.length > MANY) {
    throw new TypeError(`channels: wanted a list of 1 to ${MANY} channels`);
  }
  const names = new Set<string>();
  return input.map((entry: unknown, index) => {
    let where = `channel ${index + 1}`;
    const fields = asObject(entry, where);
    const { name } = fields;
    if (typeof name !== "string" || !NAME.test(name)) {
      throw new TypeError(`${where}: name is ${describe(name)}, wanted 1 to 40 of a–z, 0–9 and -`);
    }
    where += ` (${name})`;
    if (names.has(name)) throw new TypeError(`${where}: the name is taken by another channel`);
    names.add(name);
    const quietHours = quietOf(fields.quiet_hours, where);
    switch (fields.type) {
      case "webhook": {
        onlyKnown(fields, ["name", "type", "url", "headers", "quiet_hours"], where);
        const { url, headers } = fields;
        return {
          name,
          type: "webhook",
          url: urlOf(url, where),
          headers: headersOf(headers, where),
          quietHours,
        };
      }
      case "sms": {
        onlyKnown(fields, ["name", "type", "url", "headers", "content_type", "body", "quiet_hours"], where);
        const url = urlOf(fields.url, where);
        const headers = headersOf(fields.headers, where);
        const contentType = TEMPLATE_TYPES.find((type) => type === fields.content_type);
        if (contentType === undefined) {
          throw new TypeError(
            `${where}: content_type is ${describe(fields.content_type)}, wanted ${TEMPLATE_TYPES.join(", ")}`,
          );
        }
        const body = templateOf(fields.body, contentType, where);
        return { name, type: "sms", url, headers, contentType, body, quietHours };
      }
      case "email": {
        onlyKnown(fields, ["name", "type", "to", "quiet_hours"], where);
        return { name, type: "email", to: addressesOf(fields.to, where), quietHours };
      }
      default:
        throw new TypeError(`${where}: type is ${describe(fields.type)}, wanted webhook, sms or email`);
    }
  });
}

/**
 * Replaces the placeholders of a body template. Each value is escaped for the content type: inside a JSON string,
 * percent-encoded for a form, or unchanged for plain text.
 */
export function fillTemplate(template: string, contentType: TemplateType, values: TemplateValues): string {
  return template.replace(/\{\{([^{}]*)\}\}/g, (all, name: string) => {
    const placeholder = PLACEHOLDERS.find((one) => one === name.trim());
    if (placeholder === undefined) return all; // cannot happen: the template was checked when it was read
    const value = values[placeholder];
    switch (contentType) {
      case "application/json":
        return JSON.stringify(value).slice(1, -1);
      case "application/x-www-form-urlencoded":
        return encodeURIComponent(value);
      case "text/plain":
        return value;
    }
  });
}

/** Whether a channel is quiet at a time, ms since the epoch. */
export function isQuiet(quiet: QuietHours | null, ms: number): boolean {
  if (quiet === null) return false;
  const { from, to, zone } = quiet;
  const local = new Intl.DateTimeFormat("en-GB", {
    timeZone: zone,
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  }).format(ms);
  const minute = minutesOf(local) ?? 0;
  return from < to ? minute >= from && minute < to : minute >= from || minute < to;
}

/** An entry as an object. @throws {TypeError} */
export function asObject(entry: unknown, where: string): Record<string, unknown> {
  if (typeof entry !== "object" || entry === null || Array.isArray(entry)) {
    throw new TypeError(`${where} is ${describe(entry)}, wanted an object`);
  }
  return entry as Record<string, unknown>;
}

/** Refuses unknown fields, so that a misspelt name is an error. @throws {TypeError} */
export function onlyKnown(fields: Record<string, unknown>, known: readonly string[], where: string): void {
  for (const name of Object.keys(fields)) {
    if (!known.includes(name)) {
      throw new TypeError(`${where}: the field ${describe(name)} is not known, wanted ${known.join(", ")}`);
    }
  }
}

// Errors show neither a URL nor a header, because both may contain keys.
function urlOf(value: unknown, where: string): string {
  const parsed = typeof value === "string" && value.length <= 2000 ? URL.parse(value) : null;
  const isFine =
    parsed !== null && /^https?:$/.test(parsed.protocol) && parsed.username + parsed.password === "";
  if (!isFine) {
    throw new TypeError(
      `${where}: url is not as it should be (it is not shown), wanted an http or https URL without a user name`,
    );
  }
  parsed.hash = "";
  return parsed.href;
}

function headersOf(value: unknown, where: string): Record<string, string> {
  if (value === undefined) return {};
  const headers: Record<string, string> = {};
  for (const [name, text] of Object.entries(asObject(value, `${where}: headers`))) {
    const lower = name.toLowerCase();
    if (!TOKEN.test(name) || OWN_HEADERS.has(lower)) {
      throw new TypeError(
        `${where}: the header ${describe(name)} cannot be set, wanted one such as authorization`,
      );
    }
    if (typeof text !== "string" || !/^[\u0020-\u007e]{1,2000}$/.test(text)) {
      throw new TypeError(
        `${where}: the header ${describe(name)} has a value that cannot be sent (it is not shown), wanted ASCII text`,
      );
    }
    headers[lower] = text;
  }
  return headers;
}

function templateOf(value: unknown, contentType: TemplateType, where: string): string {
  const known = PLACEHOLDERS.map((name) => `{{${name}}}`).join(", ");
  if (typeof value !== "string" || value === "" || value.length > 10_000) {
    throw new TypeError(`${where}: body is not as it should be (it is not shown), wanted text with ${known}`);
  }
  const named = [...value.matchAll(/\{\{([^{}]*)\}\}/g)].map(([, name = ""]) => name.trim());
  for (const name of named) {
    if (!PLACEHOLDERS.some((one) => one === name)) {
      throw new TypeError(`${where}: body names ${describe(`{{${name}}}`)}, wanted ${known}`);
    }
  }
  if (!named.includes("text")) throw new TypeError(`${where}: body has no {{text}}, wanted it`);
  if (contentType === "application/json") {
    const sample = Object.fromEntries(PLACEHOLDERS.map((name) => [name, `"\\\n`])) as TemplateValues;
    try {
      JSON.parse(fillTemplate(value, contentType, sample));
    } catch (cause) {
      throw new TypeError(
        `${where}: body is no JSON once it is filled, wanted placeholders inside of strings`,
        { cause },
      );
    }
  }
  return value;
}

function addressesOf(value: unknown, where: string): string[] {
  const wanted = "wanted a list of addresses such as someone@example.org";
  if (!Array.isArray(value) || value.length === 0 || value.length > MANY) {
    throw new TypeError(`${where}: to is ${describe(value)}, ${wanted}`);
  }
  return value.map((address: unknown) => {
    if (typeof address !== "string" || !isMailAddress(address)) {
      throw new TypeError(`${where}: to holds ${describe(address)}, ${wanted}`);
    }
    return address;
  });
}

/** Whether a text is a plain e-mail address, without a name beside it. */
export function isMailAddress(text: string): boolean {
  return text.length <= 254 && /^[^\s<>@,;:"()[\]\\]+@[^\s<>@,;:"()[\]\\]+$/.test(text);
}

function quietOf(value: unknown, where: string): QuietHours | null {
  if (value === undefined || value === null) return null;
  const place = `${where}: quiet_hours`;
  const fields = asObject(value, place);
  onlyKnown(fields, ["from", "to", "zone"], place);
  const { from, to, zone } = fields;
  const [start, end] = [minutesOf(from), minutesOf(to)];
  for (const [name, text, minutes] of [
    ["from", from, start],
    ["to", to, end],
  ] as const) {
    if (minutes === undefined) {
      throw new TypeError(`${place}: ${name} is ${describe(text)}, wanted a time of day such as 22:00`);
    }
  }
  if (typeof zone !== "string" || !isZone(zone)) {
    throw new TypeError(
      `${place}: zone is ${describe(zone)}, wanted an IANA time zone such as Europe/London`,
    );
  }
  if (start === undefined || end === undefined || start === end) {
    throw new TypeError(`${place}: from and to are both ${describe(from)}, wanted two times`);
  }
  return { from: start, to: end, zone };
}

function minutesOf(value: unknown): number | undefined {
  const match = typeof value === "string" ? /^([01]\d|2[0-3]):([0-5]\d)$/.exec(value) : null;
  return match === null ? undefined : Number(match[1]) * 60 + Number(match[2]);
}

/** The target of a channel without secrets and personal addresses: a host, or `…@example.org`. */
export function targetOf(channel: AlertChannel): string {
  if (channel.type !== "email") return new URL(channel.url).host;
  return channel.to.map((address) => `…${address.slice(address.lastIndexOf("@"))}`).join(", ");
}

/** A channel's quiet hours for people: `22:00–07:00 Europe/London`; null if it has none. */
export function quietText({ quietHours }: AlertChannel): string | null {
  if (quietHours === null) return null;
  const clock = (minutes: number) =>
    `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
  return `${clock(quietHours.from)}–${clock(quietHours.to)} ${quietHours.zone}`;
}
