import type { City } from "../../core/city.ts";
import type { Row } from "../../core/observation.ts";
import type { Station } from "../../core/station.ts";
import { formatTimestamp, HOUR_MS } from "../../core/time.ts";
import { randomFrom, row } from "../support/lake-files.ts";

const MINUTE_MS = 60_000;
/** The clocks of both hemispheres' seasons change in it. */
const BEGIN = Date.UTC(2026, 2, 22);

/** A city north of 45°, one south of the equator; "Nowhere" is not among them. */
export const QUALITY_CITIES: readonly City[] = [
  { name: "Oslo", slug: "oslo", latitude: 59.9, longitude: 10.7, zone: "Europe/Oslo", elevation: 20 },
  { name: "Perth", slug: "perth", latitude: -31.9, longitude: 115.9, zone: "Australia/Perth" },
];

/** A station of Oslo's that moves up a hill. */
export const QUALITY_STATIONS: readonly Station[] = [
  {
    id: "hill",
    city: "Oslo",
    periods: [
      { from: "2026-03-24T00:00:00Z", latitude: 59.9, longitude: 10.7, elevation: null, sensor: null },
      { from: "2026-03-30T00:00:00Z", latitude: 59.9, longitude: 10.7, elevation: 420, sensor: null },
    ],
  },
];

const SERIES = [
  { city: "Oslo", source: "one", days: 20, minutes: 60, base: 2 },
  { city: "Oslo", source: "two", days: 6, minutes: 10, base: 3 },
  { city: "Oslo", source: "station:hill", days: 20, minutes: 61, base: 1 },
  { city: "Oslo", source: "three", days: 12, minutes: 60, base: 2 },
  { city: "Perth", source: "one", days: 20, minutes: 60, base: 25 },
  { city: "Nowhere", source: "one", days: 20, minutes: 150, base: -20 },
  { city: "Elsewhere", source: "one", days: 0.8, minutes: 60, base: 10 },
];

/**
 * Weather of three cities from up to four sources, with every kind of fault that quality control looks for: spikes, excursions,
 * values that stand still, pressures of another level, storms, extremes, contradictions, gaps, and reports that come late, out of order,
 * long afterwards and from the future, impossible values.
 */
export function faultyWeather(seed = 1): Row[] {
  const random = randomFrom(seed);
  const chance = (share: number) => random() < share;
  const between = (low: number, high: number) => low + (high - low) * random();
  const rows: Row[] = [];
  for (const { city, source, days, minutes, base } of SERIES) {
    let excursion = { reports: 0, by: 0 };
    let flip = { reports: 0, by: 0 };
    let still = { reports: 0, temperature: 0, humidity: 0, pressure: 0 };
    let [slow, humidity, pressure] = [0, 60, 1012];
    const storm = BEGIN + between(2, days) * 24 * HOUR_MS;
    for (let ms = BEGIN; ms < BEGIN + days * 24 * HOUR_MS; ms += minutes * MINUTE_MS) {
      if (chance(0.01)) ms += Math.floor(between(1, 30)) * HOUR_MS;
      const size = minutes / 60;
      slow += between(-1, 1) * size;
      humidity = Math.min(100, Math.max(10, humidity + between(-8, 8) * size));
      pressure += (between(-1.5, 1.5) - (pressure - 1012) / 100) * size;
      if (chance(0.004)) excursion = { reports: Math.ceil(between(1, 6)), by: between(-30, 30) };
      if (chance(0.004)) flip = { reports: Math.ceil(between(0, 40)), by: between(-130, 60) };
      if (chance(0.003)) still = { ...still, reports: Math.ceil(between(4, 30 / size)) };
      const deep = Math.max(0, 1 - Math.abs(ms - storm) / (18 * HOUR_MS)) * 90;
      let temperature = base + slow + 5 * Math.sin(((ms / HOUR_MS) % 24) / 4);
      if (excursion.reports-- > 0) temperature += excursion.by;
      if (chance(0.01)) temperature += between(-25, 25);
      const own = {
        temperature: round(temperature),
        humidity: Math.round(humidity),
        pressure: round(pressure - deep + (flip.reports-- > 0 ? flip.by : 0)),
      };
      still = still.reports > 0 ? { ...still, reports: still.reports - 1 } : { ...own, reports: 0 };
      const one = row({
        city,
        source,
        timestamp: formatTimestamp(ms),
        temperature: still.temperature,
        humidity: chance(0.02) ? Math.round(between(0, 106)) : still.humidity,
        pressure: still.pressure,
        wind_speed: round(between(0, 12)),
        rainfall: chance(0.7) ? 0 : round(between(0, 3)),
        weather_main: chance(0.1) ? null : chance(0.3) ? "Clear" : "Rain",
        ingested_at: formatTimestamp(ms + arrival(random) * MINUTE_MS),
      });
      const far = chance(0.02) ? extreme(random) : {};
      if (chance(0.5)) one.dew_point = round(still.temperature - between(-1.5, 12));
      if (chance(0.5)) one.wind_gust = round(between(5, 20));
      Object.assign(one, far);
      for (const name of ["temperature", "humidity", "pressure", "wind_speed", "rainfall"] as const)
        if (chance(0.03)) one[name] = null;
      if (chance(0.003))
        Object.assign(one, {
          temperature: null,
          humidity: null,
          pressure: null,
          wind_speed: null,
          rainfall: null,
        });
      const broken = rows.length % 61 === 7 ? "humidity" : rows.length % 67 === 9 ? "wind_speed" : null;
      if (broken !== null)
        Object.assign(one, { [broken]: null, impossible: JSON.stringify({ [broken]: "255" }) });
      rows.push(one);
    }
  }
  rows.sort((a, b) => Date.parse(a.ingested_at) - Date.parse(b.ingested_at));
  rows.forEach((one, offset) => (one.log_offset = offset));
  return rows;
}

/** Minutes from observation to arrival. */
function arrival(random: () => number): number {
  const kind = random();
  const minutes = kind < 0.02 ? 2000 * random() : kind < 0.03 ? 1000 + 9000 * random() : 20 * random();
  return Math.round(random() < 0.01 ? -10 * random() : minutes);
}

function extreme(random: () => number): Partial<Row> {
  const kinds: Partial<Row>[] = [
    { temperature: round(-50 + 120 * random()) },
    { pressure: round(840 + 280 * random()) },
    { wind_speed: round(170 * random()) },
    { rainfall: round(400 * random()) },
    { wind_gust: round(200 * random()) },
    { dew_point: round(-110 + 160 * random()) },
    { visibility: round(200_000 * random()) },
  ];
  return kinds[Math.floor(random() * kinds.length)] ?? {};
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
