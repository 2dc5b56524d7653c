import { describe, expect, test } from "bun:test";
import { DEFAULT_CITIES } from "../../../core/city.ts";
import { ConfigError } from "../../../core/errors.ts";
import { matching, setting, url } from "../../../core/setting.ts";
import { chooseSource, sourceSettings } from "../../../jobs/sources/select.ts";
import { sourceEntry } from "../../../jobs/sources/source.ts";
import { SOURCES } from "../../../jobs/sources/sources.ts";
import { generatedFiles } from "../../../server/commands/docs.ts";
import { loadConfig } from "../../../server/config/config.ts";
import { SETTINGS } from "../../../server/config/settings.ts";
import { FakeClock } from "../../support/fake-clock.ts";

/** A source that the program does not have. It answers or not, as its address says. */
const BUOY = sourceEntry({
  name: "buoy",
  title: "BuoyNet",
  licence: { name: "none needed", url: null, note: "It swims in this test only." },
  settings: {
    buoyToken: setting({
      name: "BUOY_TOKEN",
      kind: matching(/^[a-z0-9]+$/, "letters and digits"),
      default: null,
      written: "abc123",
      otherwise: "no token",
      meaning: "Opens the buoy.",
      secret: true,
    }),
    buoyUrl: setting({
      name: "BUOY_URL",
      kind: url,
      default: "https://buoy.example.org",
      written: "https://buoy.example.org",
      meaning: "Where the buoy answers.",
    }),
  },
  key: "buoyToken",
  auto: "BuoyNet with a token",
  note: (cities) => `it drifts off ${cities.length} cities`,
  open: ({ buoyToken, buoyUrl }) => ({
    name: "buoy",
    kind: "observed",
    pollSeconds: 60,
    credit: { text: `opened by ${buoyToken}`, url: buoyUrl },
    poll: async () => ({ records: [], failures: [] }),
    history: async () => ({ records: [], failures: [] }),
    probe: async () => (buoyUrl.includes("silent") ? "It answered 503" : null),
  }),
});

const [openweathermap, openMeteo, metar, simulator] = SOURCES;
const sources = [openweathermap, BUOY, metar, simulator];
const load = (env: Record<string, string>) => loadConfig(env, { isTerminal: false, sources });
const choose = (env: Record<string, string>, observed = false) =>
  chooseSource(sources, load(env).config, {
    cities: DEFAULT_CITIES,
    clock: new FakeClock(0),
    observedData: async () => observed,
    signal: new AbortController().signal,
  });

describe("a source added to the list", () => {
  test("is chosen by its name, opened with its settings, and the reason has its title and note", async () => {
    const { source, reason } = await choose({
      WEATHER_SOURCE: "buoy",
      BUOY_TOKEN: "t0ken",
      BUOY_URL: "http://localhost:9/",
    });
    expect(source?.credit).toEqual({ text: "opened by t0ken", url: "http://localhost:9" });
    expect(reason).toBe("WEATHER_SOURCE asks for BuoyNet: it drifts off 5 cities.");
  });

  test("is no source where the list lacks it", () => {
    const without = { isTerminal: false, sources: [openMeteo] };
    expect(() => loadConfig({ WEATHER_SOURCE: "buoy" }, without)).toThrow(
      'WEATHER_SOURCE is "buoy": wanted auto, open-meteo or none',
    );
  });

  test("stops the start where its key is not set or its setting is wrong, and shows no secret", () => {
    expect(() => load({ WEATHER_SOURCE: "buoy" })).toThrow(
      "BUOY_TOKEN is not set: wanted a key, because WEATHER_SOURCE is buoy",
    );
    expect(() => load({ BUOY_URL: "here" })).toThrow('BUOY_URL is "here": wanted an http or https URL');
    expect(() => load({ BUOY_TOKEN: "S3CRET!" })).toThrow(ConfigError);
    expect(() => load({ BUOY_TOKEN: "S3CRET!" })).not.toThrow(/S3CRET/);
    expect(load({ BUOY_URLS: "x" }).warnings).toEqual(["BUOY_URLS is no setting: is BUOY_URL meant?"]);
  });

  test("has its turn with auto: with its key, and when it answers", async () => {
    expect((await choose({})).reason).toBe(
      "No OpenWeatherMap key is set, and no BuoyNet key is set, so the weather is simulated.",
    );
    const silent = { BUOY_TOKEN: "t0ken", BUOY_URL: "http://silent" };
    expect((await choose(silent)).source?.name).toBe("simulator");
    const kept = await choose(silent, true);
    expect([kept.source?.name, kept.reason]).toEqual([
      "buoy",
      "BuoyNet does not answer yet and is asked again, because observed data is here already. It answered 503.",
    ]);
    expect((await choose({ BUOY_TOKEN: "t0ken" })).source?.name).toBe("buoy");
  });

  test("stands in the documentation with its settings", () => {
    const files = generatedFiles({ ...SETTINGS, ...sourceSettings(sources) });
    const page = files["docs/configuration.md"] ?? "";
    expect(page).toMatch(/\| `BUOY_TOKEN` +\| no token .*Opens the buoy\./);
    expect(page).toMatch(
      /`auto`: OpenWeatherMap with a key, else BuoyNet with a token, else the simulator\./,
    );
    expect(files[".env.example"]).toContain(
      "# Allowed: auto, openweathermap, buoy, metar, simulator or none.",
    );
    expect(files[".env.example"]).toContain("#BUOY_URL=https://buoy.example.org");
  });
});
