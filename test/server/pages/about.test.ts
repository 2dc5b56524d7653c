import { describe, expect, test } from "bun:test";
import { loadConfig } from "../../../server/config/config.ts";
import { shownConfig } from "../../../server/config/shown-config.ts";
import { FakeServices } from "../../support/fake-services.ts";
import { pageApp, wordsOf } from "../../support/page-app.ts";

describe("GET /about", () => {
  test("shows versions, credits and settings, and no secret", async () => {
    const { config } = loadConfig(
      {
        OPENWEATHERMAP_API_KEY: "hush-hush-1",
        SPARK_REMOTE: "sc://spark:15002/;token=hush-hush-2",
        SPARK_TOKEN: "hush-hush-3",
        HDFS_TOKEN: "hush-hush-4",
        WEBHDFS_URL: "http://namenode:9870",
        KAFKA_USERNAME: "user",
        KAFKA_PASSWORD: "hush-hush-5",
        KAFKA_SASL: "plain",
        POLL_SECONDS: "7",
      },
      { isTerminal: false },
    );
    const shown = shownConfig(config);
    expect(shown.servers.map(({ href }) => href)).toEqual(["http://namenode:9870/", "http://spark:4040/"]);
    const services = new FakeServices();
    services.about.source = {
      name: "open-meteo",
      reason: "no key is set",
      credit: { text: "Weather data by Open-Meteo.com", url: "https://open-meteo.com/" },
    };
    const app = await pageApp(services, shown);
    const words = wordsOf(await app.text("/about"));
    expect(words).not.toContain("hush");
    for (const wanted of [
      `Bun ${Bun.version}`,
      "Isobar 0.1.0",
      "In use: Weather data by Open-Meteo.com",
      "CC BY 4.0",
      "POLL_SECONDS 7 s",
      "OPENWEATHERMAP_API_KEY set",
      "AUTH not set: loopback only",
      "CITIES_FILE 5 cities",
    ]) {
      expect(words).toContain(wanted);
    }
  });
});
