import {
  Bool,
  Float64,
  Int32,
  Int64,
  Table,
  TimestampMillisecond,
  Utf8,
  vectorFromArray,
} from "apache-arrow";
import type { AlertsService } from "../../jobs/alerts/alerts.ts";
import { type AnyElysia, Elysia } from "elysia";
import { slugOf } from "../../core/slug.ts";
import { type Clock, systemClock } from "../../core/clock.ts";
import { silentLogger } from "../../core/log.ts";
import type { Observation } from "../../core/observation.ts";
import { formatTimestamp, HOUR_MS } from "../../core/time.ts";
import type { Assets } from "../../server/pages/frame/assets.ts";
import { loadConfig } from "../../server/config/config.ts";
import { pagesRoutes } from "../../server/pages/pages.ts";
import { guard } from "../../server/http/security.ts";
import { shownConfig } from "../../server/config/shown-config.ts";
import { FakeServices, observation, result, row } from "./fake-services.ts";

const MINUTE_MS = 60_000;
/** What the pages tell of settings nobody has set. */
export const SHOWN = shownConfig(loadConfig({}, { isTerminal: false }).config);
/** Minutes between the observations of the fake world. */
const EVERY = 10;

/** A plausible day of a city, without chance: a wave of its own height, width and hour. */
function temperatureAt(city: number, ms: number): number {
  const hour = (ms / HOUR_MS) % 24;
  const value =
    8 +
    city * 2.5 +
    (4 + (city % 3)) * Math.sin(((hour - 8 - city) / 12) * Math.PI) +
    Math.sin(hour * 3 + city) / 3;
  return Math.round(value * 10) / 10;
}

/**
 * A world of cities with a day behind them: the second has a gap of four hours, the third is stale, the fourth reports no
 * rain and the first is unusually warm.
 */
export function worldOf(cities: readonly string[], now: number): FakeServices {
  const services = new FakeServices();
  const newest = Math.floor(now / (EVERY * MINUTE_MS)) * EVERY * MINUTE_MS;
  services.about.staleAfterSeconds = 3 * EVERY * 60;
  services.cityList = cities.map((name, i) => ({
    name,
    slug: slugOf(name),
    latitude: i,
    longitude: i,
    zone: "UTC",
  }));
  services.rows = [];
  services.currentList = [];
  cities.forEach((city, i) => {
    const end = i === 2 ? newest - 134 * MINUTE_MS : newest;
    let last: Observation | undefined;
    for (let ms = newest - 24 * HOUR_MS; ms <= end; ms += EVERY * MINUTE_MS) {
      const ago = newest - ms;
      if (i === 1 && ago > 9 * HOUR_MS && ago < 13 * HOUR_MS) continue;
      last = observationAt(city, i, ms);
      services.rows.push(row(services.rows.length, last));
    }
    if (last !== undefined) {
      services.currentList.push({ observation: last, offset: i, receivedMs: now, judgement: null });
    }
  });
  services.rows.sort((a, b) => (a.timestamp < b.timestamp ? -1 : a.timestamp > b.timestamp ? 1 : 0));
  judge(services, cities, newest, now);
  return services;
}

/** What a city of the fake world reports at a time. */
export function observationAt(city: string, index: number, ms: number): Observation {
  const conditions = ["clear sky", "broken clouds", "light drizzle", "few clouds", "moderate rain"];
  return observation({
    city,
    timestamp: formatTimestamp(ms),
    temperature: temperatureAt(index, ms),
    humidity: 45 + ((index * 13) % 50),
    pressure: 1000 + index * 3,
    wind_speed: 2 + index,
    rainfall: index === 3 ? null : index % 2 === 0 ? 0 : 0.4,
    weather_main: "Clouds",
    weather_description: conditions[index % conditions.length] ?? null,
  });
}

function judge(services: FakeServices, cities: readonly string[], newest: number, now: number): void {
  const numbers = (value: (i: number) => number | null) =>
    vectorFromArray(
      cities.map((_, i) => value(i)),
      new Float64(),
    );
  const made = { generated_at: formatTimestamp(now - 90_000), rows_read: 204_936 };
  services.analytics.results.set(
    "city_statistics",
    result("city_statistics", {
      ...made,
      table: new Table({
        city: vectorFromArray([...cities], new Utf8()),
        n_temperature: vectorFromArray(
          cities.map((_, i) => BigInt(8000 + i)),
          new Int64(),
        ),
        coverage: numbers(() => 0.98),
        temperature_min: numbers((i) => -8 + i * 2),
        temperature_p05: numbers((i) => -1 + i * 2),
        temperature_median: numbers((i) => 9 + i * 2),
        temperature_mean: numbers((i) => 9.4 + i * 2),
        temperature_p95: numbers((i) => 19 + i * 1.5),
        temperature_max: numbers((i) => 26 + i * 1.5),
        temperature_stddev: numbers((i) => 6 + i / 3),
        humidity_mean: numbers((i) => 50 + i),
        pressure_mean: numbers((i) => 1005 + i),
        wind_speed_mean: numbers((i) => 2 + i / 2),
        rainfall_total: numbers((i) => (i === 3 ? null : 300 + i)),
        weather_dominant: vectorFromArray(
          cities.map(() => "Clouds"),
          new Utf8(),
        ),
      }),
    }),
  );
  const ages = [0, 2 * HOUR_MS, 11 * HOUR_MS];
  services.analytics.results.set(
    "anomalies",
    result("anomalies", {
      ...made,
      table: new Table({
        timestamp: vectorFromArray(
          ages.map((age) => new Date(newest - age)),
          new TimestampMillisecond("UTC"),
        ),
        city: vectorFromArray(
          ages.map((_, i) => cities[i % cities.length] ?? ""),
          new Utf8(),
        ),
        kind: vectorFromArray(
          ages.map(() => "unusual"),
          new Utf8(),
        ),
        observed: vectorFromArray([26.9, 20, 10.2], new Float64()),
        expected: vectorFromArray([15.9, 9, 13.3], new Float64()),
        lower: vectorFromArray([6.4, 1.6, 10.2], new Float64()),
        upper: vectorFromArray([25.3, 16.4, 16.4], new Float64()),
        score: vectorFromArray([4.1, 5.2, -7.1], new Float64()),
        severity: vectorFromArray([1, 1, 2], new Int32()),
        n: vectorFromArray([45n, 45n, 31n], new Int64()),
        method: vectorFromArray(
          ages.map(() => "robust z by hour of day and season"),
          new Utf8(),
        ),
        status: vectorFromArray(
          ages.map(() => "anomaly"),
          new Utf8(),
        ),
        is_anomaly: vectorFromArray(
          ages.map(() => true),
          new Bool(),
        ),
        is_newest: vectorFromArray(
          ages.map((age) => age === 0),
          new Bool(),
        ),
      }),
    }),
  );
}

/** A live stream that says what a test says. */
export class FakeLive {
  readonly #controllers = new Set<ReadableStreamDefaultController<Uint8Array>>();
  readonly #waiting: (() => void)[] = [];
  #id = 0;

  constructor(private readonly services: FakeServices) {}

  /** Opens a stream, beginning with a snapshot unless the reader says where it was. */
  open(request: Request): Response {
    let mine: ReadableStreamDefaultController<Uint8Array> | undefined;
    const stream = new ReadableStream<Uint8Array>({
      start: (controller) => {
        mine = controller;
        this.#controllers.add(controller);
        controller.enqueue(new TextEncoder().encode("retry: 200\n\n"));
        if (request.headers.get("last-event-id") === null) {
          const current = this.services.currentList.map(({ observation, offset, receivedMs }) => ({
            observation,
            offset,
            received_at: formatTimestamp(receivedMs),
          }));
          this.#send(controller, "snapshot", { current, generated_at: formatTimestamp(Date.now()) });
        }
        for (const resolve of this.#waiting.splice(0)) resolve();
      },
      cancel: () => {
        if (mine !== undefined) this.#controllers.delete(mine);
      },
    });
    return new Response(stream, {
      headers: { "content-type": "text/event-stream", "cache-control": "no-store" },
    });
  }

  /** Resolves when a reader has connected. */
  connected(): Promise<void> {
    if (this.#controllers.size > 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Sends an event to every reader. */
  send(event: string, data: object): void {
    for (const controller of this.#controllers) this.#send(controller, event, data);
  }

  /** Sends observations. */
  observe(...observations: Observation[]): void {
    const rows = observations.map((one) => row(this.#id, one));
    this.send("observations", { observations: rows });
  }

  /** Ends every stream. */
  close(): void {
    for (const controller of this.#controllers) controller.close();
    this.#controllers.clear();
  }

  #send(controller: ReadableStreamDefaultController<Uint8Array>, event: string, data: object): void {
    const text = `id: test-${++this.#id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
    controller.enqueue(new TextEncoder().encode(text));
  }
}

/** The pages over a fake world, behind the guard of every route. */
export function appOf(
  services: FakeServices,
  live: Pick<FakeLive, "open">,
  assets: Assets,
  clock: Clock = systemClock,
  alerts: AlertsService | null = null,
): AnyElysia {
  return new Elysia()
    .use(guard({ host: "127.0.0.1", allowedHosts: [] }))
    .use(pagesRoutes({ services, assets, clock, logger: silentLogger, alerts, ...SHOWN }))
    .get("/live", ({ request }) => live.open(request));
}
