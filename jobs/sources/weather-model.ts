import type { City } from "../../core/city.ts";
import type { Observation } from "../../core/observation.ts";
import { DAY_MS, formatTimestamp, HOUR_MS } from "../../core/time.ts";
import { noiseKey, smoothNoise, whiteNoise } from "./noise.ts";

/** What stays the same at a place. */
interface Place {
  seed: number;
  /** Degrees of longitude as hours of local solar time. */
  solarHours: number;
  /** Warmest day, days after 1 January. */
  warmestDay: number;
  /** Mean of the year, half the range of the year, half the range of the day, °C. */
  mean: number;
  season: number;
  day: number;
  /** Mean sea-level pressure, the range of its fronts and of its tide, hPa. */
  pressure: number;
  fronts: number;
  tide: number;
  /** Dew point depression of a dry day, °C. */
  dryness: number;
  /** Wetness from which it rains, and mm/h for each unit above. */
  rainFrom: number;
  rainRate: number;
  /** Mean wind, m/s. */
  wind: number;
  /** Keys of the noises. */
  keys: Record<
    | "front"
    | "front2"
    | "front3"
    | "warm"
    | "moist"
    | "cloud"
    | "rain"
    | "wind"
    | "side"
    | "gust"
    | "second"
    | "eddy",
    number
  >;
}

const YEAR_DAYS = 365.2425;
const TURN = 2 * Math.PI;
/** Midsummer of the northern air lags the sun: about 20 July. */
const WARMEST_DAY = 200;

const places = new WeakMap<City, Place>();

/**
 * The simulated weather of a place at a time: a pure function of seed, city and second, so that the past and the present
 * agree. Temperature follows latitude, season, local solar time, clouds and passing air masses, with turbulence from
 * second to second; pressure is a sum of slow noises, and clouds, rain, humidity and wind follow it. Plausible, not a
 * climate: the numbers were chosen by eye. Values are rounded as a station would report them.
 *
 * @param ms since the epoch; the part below a second is dropped
 */
export function simulateObservation(city: City, ms: number, seed: number): Observation {
  let place = places.get(city);
  if (place === undefined || place.seed !== seed) {
    place = placeOf(city, seed);
    places.set(city, place);
  }
  const second = Math.floor(ms / 1000);
  const hours = (second * 1000) / HOUR_MS;
  const { keys } = place;

  const front =
    0.6 * smoothNoise(keys.front, hours / 110) +
    0.3 * smoothNoise(keys.front2, hours / 45) +
    0.1 * smoothNoise(keys.front3, hours / 15);
  const wetness = 0.6 * smoothNoise(keys.moist, hours / 9) - 0.55 * front;
  const cloud = clamp(0.4 + 0.9 * wetness + 0.25 * smoothNoise(keys.cloud, hours / 3), 0, 1);
  const excess = wetness - place.rainFrom;
  let rain = 0;
  if (excess > 0) rain = excess * place.rainRate * (0.7 + 0.3 * smoothNoise(keys.rain, hours / 1.5));

  const solar = hours + place.solarHours;
  const day = second / (DAY_MS / 1000);
  const season = Math.cos((TURN * (day - place.warmestDay)) / YEAR_DAYS);
  const hour = Math.cos((TURN * (solar - 15)) / 24); // warmest at 15 h
  const airMass =
    place.mean + place.season * season + (2 + place.fronts / 6) * smoothNoise(keys.warm, hours / 60);
  const turbulence = 0.2 * whiteNoise(keys.second, second) + 0.2 * smoothNoise(keys.eddy, second / 20);
  const temperature = airMass + place.day * hour * (1 - 0.55 * cloud) - (excess > 0 ? 1 : 0) + turbulence;

  const dry = 1 - 0.8 * clamp(wetness / place.rainFrom, 0, 1);
  const dewPoint = Math.min(airMass - place.dryness * dry, temperature - 0.2);
  const humidity = clamp(100 * Math.exp(magnus(dewPoint) - magnus(temperature)), 1, 100);

  const pressure = place.pressure + place.fronts * front + place.tide * Math.cos((TURN * (solar - 10)) / 12);
  const windiness = 1 + 0.7 * smoothNoise(keys.wind, hours / 6) + 0.25 * hour;
  const wind = Math.max(
    0,
    place.wind * windiness + 5 * Math.max(0, -front) + 0.3 * whiteNoise(keys.gust, second),
  );
  const gust = wind * (1.4 + 0.3 * whiteNoise(keys.gust, second + 1));
  const side = 220 + 200 * smoothNoise(keys.side, hours / 30) + 8 * whiteNoise(keys.side, second);

  const clouds = Math.round(100 * cloud);
  const fog = humidity >= 97 && wind < 2.5;
  // Rain or snow by the air mass: turbulence must not make it flicker.
  const snow = airMass + place.day * hour * (1 - 0.55 * cloud) < 0.5;
  const rainfall = snow || rain < 0.05 ? 0 : tenth(rain);
  const [main, description] =
    rain < 0.05 ? dryCondition(clouds, fog) : snow ? snowCondition(rain) : wetCondition(rain, airMass);
  return {
    timestamp: formatTimestamp(second * 1000),
    city: city.name,
    temperature: tenth(temperature),
    humidity: Math.round(humidity),
    pressure: tenth(pressure),
    wind_speed: tenth(wind),
    rainfall,
    weather_main: main,
    weather_description: description,
    source: "simulator",
    wind_direction: ((Math.round(side) % 360) + 360) % 360,
    wind_gust: tenth(gust),
    dew_point: tenth(dewPoint),
    clouds,
  };
}

function placeOf(city: City, seed: number): Place {
  const at = (salt: string) => noiseKey(`${city.name}/${salt}`, seed);
  const vary = (salt: string) => whiteNoise(at(salt), 0);
  const latitude = Math.abs(city.latitude);
  const tropics = Math.cos((latitude * Math.PI) / 180) ** 2;
  const deserts = Math.exp(-(((latitude - 25) / 9) ** 2)); // the dry belt of sinking air
  const rainy = 0.38 + 0.22 * deserts + 0.05 * vary("rainy");
  return {
    seed,
    solarHours: city.longitude / 15,
    warmestDay: WARMEST_DAY + (city.latitude < 0 ? YEAR_DAYS / 2 : 0),
    mean: 28 - 0.0064 * latitude ** 2 + 1.5 * vary("mean"),
    season: 0.23 * latitude * (1 + 0.2 * vary("season")) + 0.5,
    day: 3.5 + 2.5 * deserts + 1.2 * vary("day"),
    pressure: 1013 + 4 * Math.exp(-(((latitude - 32) / 12) ** 2)) + vary("pressure"),
    fronts: 4 + 0.32 * Math.min(latitude, 65),
    tide: 1.2 * tropics,
    dryness: 5 + 9 * deserts + 1.5 * vary("dryness"),
    rainFrom: rainy,
    rainRate: 6 + 5 * tropics,
    wind: 3 + vary("wind"),
    keys: {
      front: at("front"),
      front2: at("front2"),
      front3: at("front3"),
      warm: at("warm"),
      moist: at("moist"),
      cloud: at("cloud"),
      rain: at("rain"),
      wind: at("winds"),
      side: at("side"),
      gust: at("gust"),
      second: at("second"),
      eddy: at("eddy"),
    },
  };
}

type Words = readonly [main: string, description: string];

function snowCondition(water: number): Words {
  return ["Snow", water < 1 ? "light snow" : "snow"];
}

/** Groups by mm/h. */
function wetCondition(rain: number, airMass: number): Words {
  if (rain >= 3 && airMass > 15) return ["Thunderstorm", "thunderstorm with rain"];
  if (rain < 0.3) return ["Drizzle", "drizzle"];
  if (rain < 2.5) return ["Rain", "light rain"];
  if (rain < 7.6) return ["Rain", "moderate rain"];
  return ["Rain", "heavy intensity rain"];
}

/** Groups by cloud cover, %. */
function dryCondition(clouds: number, fog: boolean): Words {
  if (fog) return ["Fog", "fog"];
  if (clouds < 11) return ["Clear", "clear sky"];
  if (clouds <= 25) return ["Clouds", "few clouds"];
  if (clouds <= 50) return ["Clouds", "scattered clouds"];
  if (clouds < 85) return ["Clouds", "broken clouds"];
  return ["Clouds", "overcast clouds"];
}

/** Exponent of the saturation pressure over water (Magnus; Alduchov and Eskridge 1996). */
function magnus(celsius: number): number {
  return (17.625 * celsius) / (243.04 + celsius);
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}

/** Rounded to a tenth; −0 becomes 0. */
function tenth(value: number): number {
  return Math.round(value * 10) / 10 + 0;
}
