import { describe, expect, test } from "bun:test";
import { fillTemplate, isQuiet, parseChannels } from "../../core/alert-channel.ts";
import { parseAlertRule, parseAlertsFile, ruleJson } from "../../core/alert-rule.ts";
import { VARIABLE_NAMES } from "../../core/variables.ts";

const OPS = { name: "ops", type: "webhook", url: "https://hooks.example.org/T0/secret" };
const FROST = { name: "Frost", city: "London", variable: "temperature", below: 0, channels: ["ops"] };
const file =
  (rules: unknown, channels: unknown = [OPS]) =>
  () =>
    parseAlertsFile({ channels, rules });

describe("parseAlertsFile()", () => {
  test("reads channels of every kind and both conditions", () => {
    const { channels, rules } = parseAlertsFile({
      channels: [
        { ...OPS, headers: { Authorization: "Bearer key" } },
        {
          name: "sms",
          type: "sms",
          url: "http://gateway.example.org/send",
          content_type: "application/x-www-form-urlencoded",
          body: "to=%2B491&text={{text}}",
          quiet_hours: { from: "22:00", to: "07:30", zone: "Europe/Berlin" },
        },
        { name: "mail", type: "email", to: ["someone@example.org"] },
      ],
      rules: [
        { ...FROST, for_minutes: 30, channels: ["ops", "sms", "ops"] },
        { name: "Odd", anomaly: "unusual", channels: ["mail"] },
      ],
    });
    expect(channels.map(({ type, quietHours }) => [type, quietHours])).toEqual([
      ["webhook", null],
      ["sms", { from: 22 * 60, to: 7 * 60 + 30, zone: "Europe/Berlin" }],
      ["email", null],
    ]);
    expect(channels[0]).toMatchObject({ headers: { authorization: "Bearer key" } });
    expect(rules).toEqual([
      {
        id: "file:Frost",
        origin: "file",
        name: "Frost",
        city: "London",
        condition: { type: "threshold", variable: "temperature", side: "below", limit: 0, forMinutes: 30 },
        channels: ["ops", "sms"],
      },
      {
        id: "file:Odd",
        origin: "file",
        name: "Odd",
        city: null,
        condition: { type: "anomaly", kind: "unusual", severity: 2 },
        channels: ["mail"],
      },
    ]);
  });

  test("puts the name of a rule's city into its normal form", () => {
    expect(file([{ ...FROST, city: " Zu\u0308rich " }])().rules[0]?.city).toBe("Zürich");
    expect(file([{ ...FROST, city: "  " }])).toThrow('city is "  ", wanted the name of a city');
  });

  test.each([
    ["the file", () => parseAlertsFile([]), "the file is []"],
    ["a field it does not know", () => parseAlertsFile({ channels: [OPS], rule: [] }), '"rule" is not known'],
    ["no channel", file([], []), "channels: wanted a list of 1 to 100"],
    ["a channel's name", file([], [{ ...OPS, name: "Ops" }]), 'channel 1: name is "Ops", wanted'],
    ["a name twice", file([], [OPS, OPS]), "channel 2 (ops): the name is taken"],
    ["a type", file([], [{ ...OPS, type: "fax" }]), 'channel 1 (ops): type is "fax", wanted webhook'],
    ["a url", file([], [{ ...OPS, url: "ftp://x" }]), "channel 1 (ops): url is not as it should be"],
    [
      "a header of its own",
      file([], [{ ...OPS, headers: { Host: "x" } }]),
      '(ops): the header "Host" cannot',
    ],
    ["a header's value", file([], [{ ...OPS, headers: { "x-a": "a\r\nb" } }]), 'header "x-a" has a value'],
    ["a misspelt field", file([], [{ ...OPS, quiet: 1 }]), '"quiet" is not known, wanted name, type, url'],
    [
      "a time of day",
      file([], [{ ...OPS, quiet_hours: { from: "24:00", to: "07:00", zone: "UTC" } }]),
      'quiet_hours: from is "24:00", wanted a time of day',
    ],
    [
      "a zone",
      file([], [{ ...OPS, quiet_hours: { from: "22:00", to: "07:00", zone: "Mars" } }]),
      'quiet_hours: zone is "Mars"',
    ],
    [
      "hours that are none",
      file([], [{ ...OPS, quiet_hours: { from: "07:00", to: "07:00", zone: "UTC" } }]),
      "from and to are both",
    ],
    ["an address", file([], [{ name: "m", type: "email", to: ["a@b", "c"] }]), '(m): to holds "c"'],
    ["a rule's name", file([{ ...FROST, name: "" }]), 'rule 1: name is "", wanted'],
    ["a name with a line end", file([{ ...FROST, name: "a\nBcc: b" }]), "rule 1: name is"],
    ["a rule's name twice", file([FROST, FROST]), 'rule 2: name is "Frost", which another rule has'],
    [
      "a variable",
      file([{ ...FROST, variable: "temp" }]),
      'variable is "temp", wanted temperature, humidity',
    ],
    ["a limit", file([{ ...FROST, below: "0" }]), 'below is "0", wanted a number'],
    ["two sides", file([{ ...FROST, above: 0 }]), "above and below: wanted one of the two"],
    ["two conditions", file([{ ...FROST, anomaly: "spike" }]), "variable and anomaly: wanted one"],
    ["a duration", file([{ ...FROST, for_minutes: -1 }]), "for_minutes is -1, wanted 0 to 1440"],
    ["a kind", file([{ name: "a", anomaly: "odd", channels: ["ops"] }]), 'anomaly is "odd", wanted spike'],
    [
      "a severity",
      file([{ name: "a", anomaly: "spike", severity: 4, channels: ["ops"] }]),
      "severity is 4, wanted 1, 2 or 3",
    ],
    [
      "a channel",
      file([{ ...FROST, channels: ["pager"] }]),
      'channels names "pager", wanted one or more of ops',
    ],
    ["no channel", file([{ ...FROST, channels: [] }]), "channels is [], wanted"],
    ["a misspelt field", file([{ ...FROST, for: 5 }]), 'rule 1: the rule: the field "for" is not known'],
  ])("refuses %s, by its place and value", (_, parse, message) => {
    expect(parse).toThrow(TypeError);
    expect(parse).toThrow(message);
  });

  test("never shows what may be a key", () => {
    for (const channel of [
      { ...OPS, url: "https://user:secret@example.org/" },
      { ...OPS, headers: { authorization: "secret\n" } },
      { ...OPS, type: "sms", content_type: "text/plain", body: "secret" },
    ]) {
      try {
        parseChannels([channel]);
        throw new Error("it was taken");
      } catch (error) {
        expect(error).toBeInstanceOf(TypeError);
        expect((error as Error).message).not.toContain("secret");
      }
    }
  });
});

describe("parseAlertRule()", () => {
  test.each([...VARIABLE_NAMES])("takes a limit of %s", (variable) => {
    const json = { name: "Limit", city: null, variable, above: 1, channels: ["ops"] };
    expect(parseAlertRule(json, [{ name: "ops" }]).condition).toMatchObject({ variable, limit: 1 });
  });
});

test("ruleJson() is what parseAlertRule() reads", () => {
  for (const json of [
    { ...FROST, for_minutes: 10 },
    { name: "Odd", city: null, anomaly: "silent", severity: 3, channels: ["ops"] },
  ]) {
    expect(ruleJson(parseAlertRule(json, [{ name: "ops" }])) as object).toEqual(json);
  }
});

describe("fillTemplate()", () => {
  const values = { text: `"Frost" & 5 °C\n`, id: "1", type: "alert", rule: "a=b", city: "Zürich", time: "" };

  test("writes a value as the content type wants it", () => {
    expect(JSON.parse(fillTemplate(`{"t":"{{ text }}","c":"{{city}}"}`, "application/json", values))).toEqual(
      {
        t: values.text,
        c: "Zürich",
      },
    );
    const form = fillTemplate("to=1&t={{text}}&r={{rule}}", "application/x-www-form-urlencoded", values);
    expect(Object.fromEntries(new URLSearchParams(form))).toEqual({ to: "1", t: values.text, r: "a=b" });
    expect(fillTemplate("{{type}}: {{text}}", "text/plain", values)).toBe(`alert: ${values.text}`);
  });

  test("does not replace a placeholder inside a value", () => {
    expect(fillTemplate("{{text}}", "text/plain", { ...values, text: "{{id}}" })).toBe("{{id}}");
  });

  test.each([
    ["{{txt}}", "text/plain", 'body names "{{txt}}"'],
    ["no text", "text/plain", "body has no {{text}}"],
    [`{"t": {{text}}}`, "application/json", "body is no JSON once it is filled"],
    ["{{text}}", "text/html", 'content_type is "text/html"'],
  ])("has only templates that were checked: not %p of %s", (body, content_type, message) => {
    const channel = { name: "sms", type: "sms", url: "https://example.org/", content_type, body };
    expect(() => parseChannels([channel])).toThrow(message);
  });
});

describe("isQuiet()", () => {
  const night = { from: 22 * 60, to: 7 * 60, zone: "Europe/Berlin" };

  test("holds over midnight, in the zone's time, from the first minute to before the last", () => {
    const at = (time: string) => isQuiet(night, Date.parse(time));
    expect(at("2026-01-31T20:59:59Z")).toBe(false);
    expect(at("2026-01-31T21:00:00Z")).toBe(true);
    expect(at("2026-02-01T05:59:59Z")).toBe(true);
    expect(at("2026-02-01T06:00:00Z")).toBe(false);
    expect(at("2026-07-01T19:59:00Z")).toBe(false); // an hour earlier in summer
    expect(at("2026-07-01T20:00:00Z")).toBe(true);
  });

  test("holds within a day", () => {
    const noon = { from: 12 * 60, to: 13 * 60, zone: "UTC" };
    expect(isQuiet(noon, Date.parse("2026-01-31T12:30:00Z"))).toBe(true);
    expect(isQuiet(noon, Date.parse("2026-01-31T13:00:00Z"))).toBe(false);
    expect(isQuiet(null, 0)).toBe(false);
  });
});
