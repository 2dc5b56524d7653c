import type { Preset } from "./preset.ts";

/** A field of ISD with its quality code behind it; 2, 3, 6 and 7 are suspect and erroneous (ISD format document). */
const GOOD = "[^2367]";
/** LCD marks a suspect value with s and a variable one with V. */
const LCD = "(-?[\\d.]+)[sV]*";

/** Codes of Meteostat's `coco` (Meteostat, Weather Condition Codes), from 1. */
const METEOSTAT_WORDS = [
  "clear",
  "fair",
  "cloudy",
  "overcast",
  "fog",
  "freezing fog",
  "light rain",
  "rain",
  "heavy rain",
  "freezing rain",
  "heavy freezing rain",
  "sleet",
  "heavy sleet",
  "light snowfall",
  "snowfall",
  "heavy snowfall",
  "rain shower",
  "heavy rain shower",
  "sleet shower",
  "heavy sleet shower",
  "snow shower",
  "heavy snow shower",
  "lightning",
  "hail",
  "thunderstorm",
  "heavy thunderstorm",
  "storm",
];
const METEOSTAT_FIELDS = {
  temperature: { column: "temp", unit: "C" },
  dew_point: { column: "dwpt", unit: "C" },
  humidity: { column: "rhum", unit: "%" },
  pressure: { column: "pres", unit: "hPa" },
  wind_speed: { column: "wspd", unit: "km/h" },
  wind_gust: { column: "wpgt", unit: "km/h" },
  wind_direction: { column: "wdir", unit: "deg" },
  rainfall: { column: "prcp", unit: "mm", amount: "hour" },
  weather_description: {
    column: "coco",
    names: Object.fromEntries(METEOSTAT_WORDS.map((words, index) => [String(index + 1), words])),
  },
};
const METEOSTAT_COLUMNS = "temp dwpt rhum prcp snow wdir wspd wpgt pres tsun coco".split(" ");

/** MeteoSwiss' names of what was measured, in both of its files. */
const METEOSWISS_FIELDS = {
  temperature: [
    { column: "tre200s0", unit: "C" },
    { column: "tre200h0", unit: "C" },
  ],
  dew_point: [
    { column: "tde200s0", unit: "C" },
    { column: "tde200h0", unit: "C" },
  ],
  humidity: [
    { column: "ure200s0", unit: "%" },
    { column: "ure200h0", unit: "%" },
  ],
  pressure: [
    { column: "pp0qffs0", unit: "hPa" },
    { column: "pp0qffh0", unit: "hPa" },
  ],
  wind_speed: [
    { column: "fkl010z0", unit: "m/s" },
    { column: "fkl010h0", unit: "m/s" },
    { column: "fu3010z0", unit: "km/h" },
  ],
  wind_gust: [
    { column: "fkl010z1", unit: "m/s" },
    { column: "fkl010h1", unit: "m/s" },
    { column: "fu3010z1", unit: "km/h" },
  ],
  wind_direction: [
    { column: "dkl010z0", unit: "deg" },
    { column: "dkl010h0", unit: "deg" },
  ],
  rainfall: [
    { column: "rre150z0", unit: "mm", amount: "interval" },
    { column: "rre150h0", unit: "mm", amount: "hour" },
  ],
};

/** Formats in which weather services and archives give out what stations reported. */
export const SERVICE_PRESETS: readonly Preset[] = [
  {
    name: "noaa-lcd",
    title: "NOAA, Local Climatological Data (suspect values count); its times are of standard time",
    head: ["HourlyDryBulbTemperature"],
    map: {
      missing: ["*", "M"],
      partial: true,
      except: { REPORT_TYPE: ["SOD", "SOM"] },
      time: { column: "DATE", format: "YYYY-MM-DDTHH:mm:ss", zone: null },
      city: { column: "STATION" },
      fields: {
        temperature: { column: "HourlyDryBulbTemperature", unit: "F", match: LCD },
        dew_point: { column: "HourlyDewPointTemperature", unit: "F", match: LCD },
        humidity: { column: "HourlyRelativeHumidity", unit: "%", match: LCD },
        pressure: { column: "HourlySeaLevelPressure", unit: "inHg", match: LCD },
        wind_speed: { column: "HourlyWindSpeed", unit: "mph", match: LCD },
        wind_gust: { column: "HourlyWindGustSpeed", unit: "mph", match: LCD },
        wind_direction: { column: "HourlyWindDirection", unit: "deg", match: LCD, missing: ["VRB"] },
        visibility: { column: "HourlyVisibility", unit: "mi", match: LCD },
        rainfall: {
          column: "HourlyPrecipitation",
          unit: "in",
          match: `${LCD}|T`,
          trace: ["T", "Ts"],
          amount: "hour",
        },
      },
    },
  },
  {
    name: "noaa-isd",
    title: "NOAA, Integrated Surface Database (global-hourly)",
    head: ["TMP", "WND"],
    map: {
      partial: true,
      except: { REPORT_TYPE: ["SOD", "SOM", "PCP15", "PCP60"] },
      time: { column: "DATE", format: "YYYY-MM-DDTHH:mm:ss", zone: "UTC" },
      city: { column: "NAME" },
      fields: {
        temperature: {
          column: "TMP",
          unit: "tenths of C",
          match: `([+-]\\d{4}),${GOOD}`,
          missing: ["+9999", "+9999,9"],
        },
        dew_point: {
          column: "DEW",
          unit: "tenths of C",
          match: `([+-]\\d{4}),${GOOD}`,
          missing: ["+9999", "+9999,9"],
        },
        pressure: { column: "SLP", unit: "tenths of hPa", match: `(\\d{5}),${GOOD}`, missing: ["99999"] },
        wind_direction: { column: "WND", unit: "deg", match: `(\\d{3}),${GOOD},.,.*`, missing: ["999"] },
        wind_speed: {
          column: "WND",
          unit: "tenths of m/s",
          match: `\\d{3},.,.,(\\d{4}),${GOOD}`,
          missing: ["9999"],
        },
        wind_gust: { column: "OC1", unit: "tenths of m/s", match: `(\\d{4}),${GOOD}`, missing: ["9999"] },
        visibility: { column: "VIS", unit: "m", match: `(\\d{6}),${GOOD},.,.`, missing: ["999999"] },
        clouds: { column: "GF1", unit: "oktas", match: "(0[0-8]),.*|.*" },
        rainfall: {
          column: "AA1",
          unit: "tenths of mm",
          amount: "hour",
          match: `01,(\\d{4}),.,${GOOD}|(?!01,).*`,
          missing: ["9999"],
        },
      },
    },
  },
  {
    name: "noaa-ghcnh",
    title: "NOAA, Global Historical Climatology Network hourly (.psv)",
    head: ["temperature_Quality_Code"],
    map: {
      delimiter: "|",
      partial: true,
      time: { column: ["Year", "Month", "Day", "Hour", "Minute"], format: "YYYY M D H m", zone: "UTC" },
      city: { column: "Station_name" },
      fields: {
        temperature: { column: "temperature", unit: "C" },
        dew_point: { column: "dew_point_temperature", unit: "C" },
        humidity: { column: "relative_humidity", unit: "%" },
        pressure: { column: "sea_level_pressure", unit: "hPa" },
        wind_speed: { column: "wind_speed", unit: "m/s" },
        wind_gust: { column: "wind_gust", unit: "m/s" },
        wind_direction: { column: "wind_direction", unit: "deg", missing: ["999"] },
        visibility: { column: "visibility", unit: "km" },
        rainfall: { column: "precipitation", unit: "mm", amount: "hour" },
      },
    },
  },
  {
    name: "meteostat-bulk",
    title: "Meteostat, hourly bulk data, without a header",
    head: [],
    map: {
      columns: ["date", "hour", ...METEOSTAT_COLUMNS],
      time: { column: ["date", "hour"], format: "YYYY-MM-DD H", zone: "UTC" },
      fields: METEOSTAT_FIELDS,
    },
  },
  {
    name: "meteostat",
    title: "Meteostat, hourly data with a header",
    head: ["tsun", "coco"],
    map: {
      partial: true,
      time: { column: "time", format: ["YYYY-MM-DD HH:mm:ss", "YYYY-MM-DD HH:mm"], zone: "UTC" },
      fields: METEOSTAT_FIELDS,
    },
  },
  {
    name: "dwd-cdc",
    title: "DWD, Climate Data Center: hourly and 10-minute files, one for each group of variables",
    head: ["eor"],
    map: {
      delimiter: ";",
      partial: true,
      missing: ["-999"],
      time: { column: "MESS_DATUM", format: ["YYYYMMDDHH", "YYYYMMDDHHmm"], zone: "UTC" },
      city: { column: "STATIONS_ID" },
      fields: {
        temperature: ["TT_TU", "TT", "TT_10"].map((column) => ({ column, unit: "C" })),
        dew_point: ["TD", "TD_10"].map((column) => ({ column, unit: "C" })),
        humidity: ["RF_TU", "RF_10"].map((column) => ({ column, unit: "%" })),
        pressure: { column: "P", unit: "hPa" },
        wind_speed: ["F", "FF_10"].map((column) => ({ column, unit: "m/s" })),
        wind_direction: ["D", "DD_10"].map((column) => ({ column, unit: "deg", missing: ["990"] })),
        wind_gust: { column: "FX_10", unit: "m/s" },
        clouds: { column: "V_N", unit: "oktas", missing: ["-1"] },
        visibility: { column: "V_VV", unit: "m" },
        rainfall: [
          { column: "R1", unit: "mm", amount: "hour" },
          { column: "RWS_10", unit: "mm", amount: "interval" },
        ],
      },
    },
  },
  {
    name: "environment-canada",
    title: "Environment and Climate Change Canada, hourly data; its times are of standard time",
    head: ["Climate ID"],
    map: {
      partial: true,
      time: { column: "Date/Time (LST)", format: "YYYY-MM-DD HH:mm", zone: null },
      city: { column: "Station Name" },
      fields: {
        temperature: { column: "Temp (°C)", unit: "C" },
        dew_point: { column: "Dew Point Temp (°C)", unit: "C" },
        humidity: { column: "Rel Hum (%)", unit: "%" },
        wind_speed: { column: "Wind Spd (km/h)", unit: "km/h" },
        wind_direction: { column: "Wind Dir (10s deg)", unit: "tens of degrees" },
        visibility: { column: "Visibility (km)", unit: "km" },
        rainfall: { column: "Precip. Amount (mm)", unit: "mm", amount: "hour" },
        weather_description: { column: "Weather", names: {} },
      },
      missing: ["NA"],
    },
  },
  {
    name: "bom",
    title: "Bureau of Meteorology, latest observations (.axf)",
    head: ["sort_order"],
    map: {
      comments: ["["],
      partial: true,
      missing: ["-", "-9999"],
      time: { column: "aifstime_utc[80]", format: "YYYYMMDDHHmmss", zone: "UTC" },
      city: { column: "name[80]" },
      fields: {
        temperature: { column: "air_temp", unit: "C" },
        dew_point: { column: "dewpt", unit: "C" },
        humidity: { column: "rel_hum", unit: "%" },
        pressure: { column: "press_msl", unit: "hPa" },
        wind_speed: { column: "wind_spd_kmh", unit: "km/h" },
        wind_gust: { column: "gust_kmh", unit: "km/h" },
        wind_direction: { column: "wind_dir[80]", unit: "compass", missing: ["CALM"] },
        visibility: { column: "vis_km[80]", unit: "km" },
      },
    },
  },
  {
    name: "knmi",
    title: "KNMI, hourly data of stations",
    head: ["STN"],
    map: {
      comments: ["#"],
      partial: true,
      time: { column: ["YYYYMMDD", "HH"], format: "YYYYMMDD H", zone: "UTC" },
      city: { column: "STN" },
      fields: {
        temperature: { column: "T", unit: "tenths of C" },
        dew_point: { column: "TD", unit: "tenths of C" },
        humidity: { column: "U", unit: "%" },
        pressure: { column: "P", unit: "tenths of hPa" },
        wind_speed: { column: "FH", unit: "tenths of m/s" },
        wind_gust: { column: "FX", unit: "tenths of m/s" },
        wind_direction: { column: "DD", unit: "deg", missing: ["0", "990"] },
        clouds: { column: "N", unit: "oktas", missing: ["9"] },
        rainfall: { column: "RH", unit: "tenths of mm", trace: ["-1"], amount: "hour" },
      },
    },
  },
  {
    name: "meteoswiss",
    title: "MeteoSwiss, stations, every 10 minutes or hour",
    head: [],
    map: {
      delimiter: ";",
      partial: true,
      missing: ["-"],
      time: { column: "reference_timestamp", format: "DD.MM.YYYY HH:mm", zone: "UTC" },
      city: { column: "station_abbr" },
      fields: METEOSWISS_FIELDS,
    },
  },
  {
    name: "meteoswiss-current",
    title: "MeteoSwiss, current values of all stations (VQHA80)",
    head: [],
    map: {
      delimiter: ";",
      partial: true,
      missing: ["-"],
      time: { column: "Date", format: "YYYYMMDDHHmm", zone: "UTC" },
      city: { column: "Station/Location" },
      fields: METEOSWISS_FIELDS,
    },
  },
  {
    name: "iem-asos",
    title:
      "Iowa Environmental Mesonet, ASOS and AWOS in UTC; rain of a special report is that since the hourly one",
    head: [],
    map: {
      comments: ["#"],
      partial: true,
      missing: ["M", "null"],
      time: { column: "valid", format: "YYYY-MM-DD HH:mm", zone: "UTC" },
      city: { column: "station" },
      fields: {
        temperature: [
          { column: "tmpf", unit: "F" },
          { column: "tmpc", unit: "C" },
        ],
        dew_point: [
          { column: "dwpf", unit: "F" },
          { column: "dwpc", unit: "C" },
        ],
        humidity: { column: "relh", unit: "%" },
        pressure: { column: "mslp", unit: "hPa" },
        wind_speed: { column: "sknt", unit: "kn" },
        wind_gust: { column: "gust", unit: "kn" },
        wind_direction: { column: "drct", unit: "deg" },
        visibility: { column: "vsby", unit: "mi" },
        rainfall: [
          { column: "p01i", unit: "in", trace: ["T", "0.0001"], amount: "hour" },
          { column: "p01m", unit: "mm", trace: ["T", "0.0001"], amount: "hour" },
        ],
      },
    },
  },
  {
    name: "midas",
    title: "Met Office, MIDAS Open hourly weather (BADC-CSV)",
    head: ["ob_time"],
    map: {
      comments: ["end data"],
      partial: true,
      missing: ["NA"],
      time: { column: "ob_time", format: "YYYY-MM-DD HH:mm:ss", zone: "UTC" },
      fields: {
        temperature: { column: "air_temperature", unit: "C" },
        dew_point: { column: "dewpoint", unit: "C" },
        humidity: { column: "rltv_hum", unit: "%" },
        pressure: { column: "msl_pressure", unit: "hPa" },
        wind_speed: { column: "wind_speed", unit: "kn" },
        wind_direction: { column: "wind_direction", unit: "deg" },
      },
    },
  },
];
