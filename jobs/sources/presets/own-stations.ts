import { inUnits, type Preset } from "./preset.ts";

/** Units as the files of stations write them behind a column's name, and what they mean. */
const HEAT = { "°C": "C", "℃": "C", "°F": "F", "℉": "F" };
const WIND = { "m/s": "m/s", "km/h": "km/h", "km/hr": "km/h", mph: "mph", knots: "kn", kt: "kn" };
const PRESSURE = { hPa: "hPa", mb: "mbar", inHg: "inHg", "in Hg": "inHg", mmHg: "mmHg", "mm Hg": "mmHg" };
const RAIN = { mm: "mm", in: "in" };
const ANGLE = { deg: "deg", "°": "deg", º: "deg" };

/** WeeWX' systems of units by their number in `usUnits` (WeeWX, Units). */
const WEEWX = [
  { name: "weewx-us", usUnits: "1", words: "US units", heat: "F", wind: "mph", pressure: "inHg", rain: "in" },
  {
    name: "weewx-metric",
    usUnits: "16",
    words: "METRIC",
    heat: "C",
    wind: "km/h",
    pressure: "mbar",
    rain: "cm",
  },
  {
    name: "weewx-metricwx",
    usUnits: "17",
    words: "METRICWX",
    heat: "C",
    wind: "m/s",
    pressure: "mbar",
    rain: "mm",
  },
];

/** What Cumulus writes depends on its settings, and the file does not say them. */
const CUMULUS = [
  { name: "cumulusmx", words: "°C, km/h, hPa, mm", heat: "C", wind: "km/h", pressure: "hPa", rain: "mm" },
  { name: "cumulusmx-uk", words: "°C, mph, hPa, mm", heat: "C", wind: "mph", pressure: "hPa", rain: "mm" },
  { name: "cumulusmx-us", words: "°F, mph, inHg, in", heat: "F", wind: "mph", pressure: "inHg", rain: "in" },
  {
    name: "cumulusmx-comma",
    words: "°C, km/h, hPa, mm, decimal commas",
    heat: "C",
    wind: "km/h",
    pressure: "hPa",
    rain: "mm",
    delimiter: ";",
    decimal: ",",
  },
];

/** Units that Weather Underground's table writes behind each value. */
const TABLES = [
  {
    name: "wunderground-table",
    words: "°F",
    heat: "F",
    wind: "mph",
    windWord: "mph",
    pressure: "inHg",
    rain: "in",
  },
  {
    name: "wunderground-table-metric",
    words: "°C",
    heat: "C",
    wind: "km/h",
    windWord: "km/h",
    pressure: "hPa",
    rain: "mm",
  },
];
/** The number before a suffix. */
const before = (suffix: string) => `(-?[\\d.]+)\\s*${suffix}`;

/** WeatherLink writes the date as the account's language does, which only days after the 12th tell. */
const WEATHERLINK = [
  { name: "weatherlink", words: "month first", format: ["M/D/YY h:mm A", "M/D/YYYY h:mm A"] },
  {
    name: "weatherlink-dmy",
    words: "day first",
    format: ["D/M/YY h:mm A", "D/M/YY H:mm", "D/M/YYYY h:mm A", "D/M/YYYY H:mm"],
  },
];
const WEATHERLINK_TEXT = [
  {
    name: "weatherlink-text",
    words: "°F, mph, in, month first",
    format: "M/D/YY h:mmA",
    heat: "F",
    wind: "mph",
    pressure: "inHg",
    rain: "in",
  },
  {
    name: "weatherlink-text-metric",
    words: "°C, km/h, hPa, mm, day first",
    format: "D/M/YY H:mm",
    heat: "C",
    wind: "km/h",
    pressure: "hPa",
    rain: "mm",
  },
];

/** What Home Assistant measures in depends on its settings, and the file does not say them. */
const HOMES = [
  { name: "home-assistant", words: "°C, km/h, hPa", heat: "C", wind: "km/h", pressure: "hPa" },
  { name: "home-assistant-us", words: "°F, mph, inHg", heat: "F", wind: "mph", pressure: "inHg" },
];

/** Formats of weather stations of one's own: what their consoles, programs and services write. */
export const STATION_PRESETS: readonly Preset[] = [
  {
    name: "wunderground",
    title: "Weather Underground, history of a station by its day (WXDailyHistory)",
    head: ["Time", "HourlyPrecipIn"],
    map: {
      comments: ["<br>"],
      ragged: true,
      missing: ["-999", "-9999", "N/A"],
      time: { column: "DateUTC<br>", format: "YYYY-MM-DD HH:mm:ss", zone: "UTC" },
      fields: {
        temperature: { column: "TemperatureF", unit: "F" },
        dew_point: { column: "DewpointF", unit: "F" },
        humidity: { column: "Humidity", unit: "%" },
        pressure: { column: "PressureIn", unit: "inHg" },
        wind_speed: { column: "WindSpeedMPH", unit: "mph" },
        wind_gust: { column: "WindSpeedGustMPH", unit: "mph" },
        wind_direction: { column: "WindDirectionDegrees", unit: "deg" },
        rainfall: { column: "HourlyPrecipIn", unit: "in", amount: "hour" },
      },
    },
  },
  ...TABLES.map(({ name, words, heat, wind, windWord, pressure, rain }) => ({
    name,
    title: `Weather Underground, table of a station's day, with ${words} behind the values`,
    head: ["Precip. Accum."],
    map: {
      missing: ["--", "N/A"],
      time: { column: ["Date", "Time"], format: ["YYYY-MM-DD h:mm A", "M/D/YYYY h:mm A"], zone: null },
      fields: {
        temperature: { column: "Temperature", unit: heat, match: before(words) },
        dew_point: { column: "Dew Point", unit: heat, match: before(words) },
        humidity: { column: "Humidity", unit: "%", match: before("%") },
        pressure: { column: "Pressure", unit: pressure, match: before(pressure === "hPa" ? "hPa" : "in") },
        wind_speed: { column: "Speed", unit: wind, match: before(windWord) },
        wind_gust: { column: "Gust", unit: wind, match: before(windWord) },
        wind_direction: { column: "Wind", unit: "compass" },
        rainfall: { column: "Precip. Accum.", unit: rain, match: before(rain), amount: "since 00:00" },
      },
    },
  })),
  ...WEATHERLINK.map(({ name, words, format }) => ({
    name,
    title: `Davis, export of weatherlink.com, ${words}`,
    head: [],
    map: {
      missing: ["--", ""],
      partial: true,
      time: { column: "Date & Time", format, zone: null },
      fields: {
        temperature: inUnits(["Temp - *"], HEAT),
        dew_point: inUnits(["Dew Point - *"], HEAT),
        humidity: { column: "Hum - %", unit: "%" },
        pressure: inUnits(["Barometer - *"], PRESSURE),
        wind_speed: inUnits(["Wind Speed - *", "Avg Wind Speed - *"], WIND),
        wind_gust: inUnits(["High Wind Speed - *"], WIND),
        wind_direction: [
          { column: "Wind Direction", unit: "compass" },
          { column: "Prevailing Wind Direction", unit: "compass" },
        ],
        rainfall: inUnits(["Rain - *"], RAIN, { amount: "interval" }),
      },
    },
  })),
  ...WEATHERLINK_TEXT.map(({ name, words, format, heat, wind, pressure, rain }) => ({
    name,
    title: `Davis, export of the WeatherLink program for Windows: ${words}`,
    head: ["Wind Run"],
    map: {
      delimiter: "\t",
      header_lines: 2,
      partial: true,
      missing: ["---", "--"],
      time: { column: ["Date", "Time"], format, zone: null },
      fields: {
        temperature: { column: "Temp Out", unit: heat },
        dew_point: { column: "Dew Pt.", unit: heat },
        humidity: { column: "Out Hum", unit: "%" },
        pressure: { column: "Bar", unit: pressure },
        wind_speed: { column: "Wind Speed", unit: wind },
        wind_gust: { column: "Hi Speed", unit: wind },
        wind_direction: { column: "Wind Dir", unit: "compass" },
        rainfall: { column: "Rain", unit: rain, amount: "interval" },
      },
    },
  })),
  {
    name: "ecowitt",
    title: "Ecowitt, export of ecowitt.net or a console, metric or imperial",
    head: [],
    map: {
      missing: ["-", "--", "--.-"],
      partial: true,
      time: {
        column: "Time",
        format: ["YYYY-MM-DD HH:mm", "YYYY-MM-DD HH:mm:ss", "YYYY/M/D H:mm"],
        zone: null,
      },
      fields: {
        temperature: inUnits(["Outdoor Temperature(*)"], HEAT),
        dew_point: inUnits(["Dew Point(*)"], HEAT),
        humidity: { column: "Outdoor Humidity(%)", unit: "%" },
        pressure: inUnits(["REL Pressure(*)", "Relative Pressure(*)", "Relative(*)"], PRESSURE),
        wind_speed: inUnits(["Wind(*)", "Wind Speed(*)"], WIND),
        wind_gust: inUnits(["Gust(*)", "Wind Gust(*)"], WIND),
        wind_direction: inUnits(["Wind Direction(*)"], ANGLE),
        rainfall: inUnits(["Hourly Rain(*)", "Hourly(*)"], RAIN, { amount: "hour" }),
      },
    },
  },
  {
    name: "ambient",
    title: "Ambient Weather, export of ambientweather.net",
    head: ["Simple Date"],
    map: {
      partial: true,
      time: { column: "Date", format: "iso" },
      fields: {
        temperature: inUnits(["Outdoor Temperature (*)"], HEAT),
        dew_point: inUnits(["Dew Point (*)"], HEAT),
        humidity: [
          { column: "Humidity (%)", unit: "%" },
          { column: "Outdoor Humidity (%)", unit: "%" },
        ],
        pressure: inUnits(["Relative Pressure (*)"], PRESSURE),
        wind_speed: inUnits(["Wind Speed (*)"], WIND),
        wind_gust: inUnits(["Wind Gust (*)"], WIND),
        wind_direction: inUnits(["Wind Direction (*)"], ANGLE),
        rainfall: inUnits(["Hourly Rain (*)"], RAIN, { amount: "hour" }),
      },
    },
  },
  ...WEEWX.map(({ name, usUnits, words, heat, wind, pressure, rain }) => ({
    name,
    title: `WeeWX, the table archive as CSV, ${words}`,
    head: ["interval"],
    map: {
      missing: ["None", "N/A", "NULL"],
      partial: true,
      only: { usUnits: [usUnits] },
      time: { column: "dateTime", format: "epoch_s" },
      fields: {
        temperature: { column: "outTemp", unit: heat },
        dew_point: { column: "dewpoint", unit: heat },
        humidity: { column: "outHumidity", unit: "%" },
        pressure: { column: "barometer", unit: pressure },
        wind_speed: { column: "windSpeed", unit: wind },
        wind_gust: { column: "windGust", unit: wind },
        wind_direction: { column: "windDir", unit: "deg" },
        clouds: { column: "cloudcover", unit: "%" },
        rainfall: { column: "rain", unit: rain, amount: "interval" },
      },
    },
  })),
  ...CUMULUS.map(({ name, words, heat, wind, pressure, rain, ...style }) => ({
    name,
    title: `CumulusMX, log of a month: ${words}`,
    head: [],
    map: {
      ...style,
      ragged: true,
      columns: [
        "date",
        "time",
        "temperature",
        "humidity",
        "dew point",
        "wind",
        "gust",
        "bearing",
        "rain rate",
        "rain today",
        "pressure",
        "rain counter",
        "indoor temperature",
        "indoor humidity",
        "latest gust",
      ],
      time: {
        column: ["date", "time"],
        format: ["DD/MM/YY HH:mm", "DD-MM-YY HH:mm", "DD.MM.YY HH:mm"],
        zone: null,
      },
      fields: {
        temperature: { column: "temperature", unit: heat },
        dew_point: { column: "dew point", unit: heat },
        humidity: { column: "humidity", unit: "%" },
        pressure: { column: "pressure", unit: pressure },
        wind_speed: { column: "wind", unit: wind },
        wind_gust: { column: "gust", unit: wind },
        wind_direction: { column: "bearing", unit: "deg" },
        rainfall: { column: "rain counter", unit: rain, amount: "total" },
      },
    },
  })),
  ...HOMES.map(({ name, words, heat, wind, pressure }) => ({
    name,
    title: `Home Assistant, history as CSV, entities sensor.outdoor_…: ${words}`,
    head: [],
    map: {
      long: { name: "entity_id", value: "state" },
      missing: ["unavailable", "unknown", "None"],
      time: { column: "last_changed", format: "iso" },
      fields: {
        temperature: { column: "sensor.outdoor_temperature", unit: heat },
        dew_point: { column: "sensor.outdoor_dew_point", unit: heat },
        humidity: { column: "sensor.outdoor_humidity", unit: "%" },
        pressure: { column: "sensor.outdoor_pressure", unit: pressure },
        wind_speed: { column: "sensor.outdoor_wind_speed", unit: wind },
        wind_gust: { column: "sensor.outdoor_wind_gust", unit: wind },
        wind_direction: { column: "sensor.outdoor_wind_direction", unit: "deg" },
      },
    },
  })),
];
