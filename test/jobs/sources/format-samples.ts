/** A file of a format, with invented values. */
export interface FormatSample {
  format: string;
  /** By which clock its times are, where the file does not say it. */
  zone?: string;
  lines: readonly string[];
  encoding?: "latin1";
  /** Presets that fit as well, because the file does not tell them apart. */
  alike?: readonly string[];
  /** One of its rows, by hand. */
  row: Record<string, unknown>;
}

/** A file of each format. */
export const FORMAT_SAMPLES: readonly FormatSample[] = [
  {
    format: "wunderground",
    lines: [
      "Time,TemperatureF,DewpointF,PressureIn,WindDirectionDegrees,WindSpeedMPH,WindSpeedGustMPH,Humidity,HourlyPrecipIn,DateUTC<br>",
      "2025-01-01 00:05:00,41.0,33.8,29.92,225,10.0,15.0,76,0.10,2025-01-01 05:05:00,",
      "<br>",
      "2025-01-01 00:10:00,50.0,32.0,29.90,230,5.0,8.0,70,0.00,2025-01-01 05:10:00,",
      "<br>",
    ],
    row: {
      timestamp: "2025-01-01T05:05:00Z",
      temperature: 5,
      wind_speed: 4.47,
      rainfall: 2.54,
      pressure: 1013.208,
    },
  },
  {
    format: "wunderground-table",
    zone: "America/New_York",
    lines: [
      "Date,Time,Temperature,Dew Point,Humidity,Wind,Speed,Gust,Pressure,Precip. Rate.,Precip. Accum.,UV,Solar",
      "2025-01-01,11:30 AM,41.0 °F,33.8 °F,76 %,NNE,10.0 mph,15.0 mph,29.92 in,0.00 in,0.10 in,0,12 w/m²",
      "2025-01-01,12:30 PM,50.0 °F,32.0 °F,70 %,West,5.0 mph,8.0 mph,29.90 in,0.00 in,0.30 in,0,12 w/m²".replace(
        "West",
        "W",
      ),
    ],
    row: { timestamp: "2025-01-01T16:30:00Z", temperature: 5, humidity: 76, wind_direction: 22.5 },
  },
  {
    format: "weatherlink-dmy",
    zone: "Europe/London",
    encoding: "latin1",
    lines: [
      '"My Station"',
      '"CurrentTimezone:Europe/London"',
      '"30/6/25 12:00 - 1/7/25 12:00"',
      '"Davis Vantage Pro2"',
      '"30 min"',
      '"Date & Time","Barometer - hPa","Temp - °C","Hum - %","Wind Speed - km/h","Wind Direction","Rain - mm"',
      '"30/6/25 12:30","1012.4","15.2","88","12.6","NNE","0.2"',
      '"30/6/25 13:00","--","15.1","--","--","--","0.4"',
      '"30/6/25 13:30","1012.0","15.0","87","7.2","N","0.0"',
    ],
    row: { timestamp: "2025-06-30T12:00:00Z", temperature: 15.1, humidity: null, rainfall: 0.6 },
  },
  {
    format: "weatherlink",
    zone: "Europe/London",
    encoding: "latin1",
    lines: [
      '"My Station"',
      '"CurrentTimezone:Europe/London"',
      '"x"',
      '"Davis Vantage Pro2"',
      '"30 min"',
      '"Date & Time","Barometer - hPa","Temp - °C","Hum - %","Wind Speed - km/h","Wind Direction","Rain - mm"',
      '"1/31/25 12:00 AM","1012.4","5.2","88","12.6","NNE","0.2"',
      '"1/31/25 12:30 AM","--","5.1","--","--","--","0.4"',
    ],
    row: { timestamp: "2025-01-31T00:00:00Z", temperature: 5.2, wind_speed: 3.5, wind_direction: 22.5 },
  },
  {
    format: "weatherlink-text",
    zone: "America/Chicago",
    lines: [
      "\t\tTemp\tOut\tDew\tWind\tWind\tWind\tHi\t\t\tRain",
      "Date\tTime\tOut\tHum\tPt.\tSpeed\tDir\tRun\tSpeed\tBar\tRain\tRate",
      "1/31/25\t12:30a\t41.0\t80\t35.6\t10.0\tNW\t1.2\t15.0\t29.92\t0.10\t0.00",
      "1/31/25\t1:00a\t50.0\t81\t35.6\t5.0\t---\t1.2\t8.0\t29.90\t0.00\t0.00",
    ],
    row: { timestamp: "2025-01-31T06:30:00Z", temperature: 5, humidity: 80, wind_direction: 315 },
  },
  {
    format: "ecowitt",
    zone: "Australia/Sydney",
    lines: [
      "Time,Indoor Temperature(℃),Outdoor Temperature(℃),Outdoor Humidity(%),Dew Point(℃),Wind(m/s),Gust(m/s),Wind Direction(deg),REL Pressure(hPa),Hourly Rain(mm)",
      "2025-01-01 00:00,21.5,8.3,80,5.1,3.2,4.0,200,1013.2,0.6",
      "2025-01-01 00:05,21.5,8.4,-,5.1,3.0,4.4,210,1013.1,0.0",
    ],
    row: { timestamp: "2024-12-31T13:00:00Z", temperature: 8.3, humidity: 80, rainfall: 0.6 },
  },
  {
    format: "ecowitt",
    zone: "-05:00",
    lines: [
      "Time,Outdoor Temperature(℉),Outdoor Humidity(%),Dew Point(℉),Wind(mph),Gust(mph),Wind Direction(deg),REL Pressure(inHg),Hourly Rain(in)",
      "2025/1/1 0:00,41.0,80,35.6,10.0,15.0,200,29.92,0.10",
    ],
    row: { timestamp: "2025-01-01T05:00:00Z", temperature: 5, wind_gust: 6.706, rainfall: 2.54 },
  },
  {
    format: "ambient",
    lines: [
      '"Date","Simple Date","Outdoor Temperature (°F)","Dew Point (°F)","Wind Speed (mph)","Wind Gust (mph)","Wind Direction (°)","Hourly Rain (in)","Daily Rain (in)","Relative Pressure (inHg)","Humidity (%)"',
      '"2025-01-01T00:05:00-05:00","2025-01-01 00:05:00","41.0","35.6","10.0","15.0","200","0.10","0.30","29.92","80"',
      '"2025-01-01T00:10:00-05:00","2025-01-01 00:10:00","","35.6","10.0","15.0","200","0.00","0.30","29.92","80"',
    ],
    row: { timestamp: "2025-01-01T05:05:00Z", temperature: 5, humidity: 80, rainfall: 2.54 },
  },
  ...(
    [
      [
        "weewx-us",
        "1",
        "41.0",
        "29.92",
        "10.0",
        "0.1",
        { temperature: 5, rainfall: 5.08, pressure: 1013.208 },
      ],
      ["weewx-metric", "16", "5.0", "1013.2", "36.0", "0.1", { temperature: 5, rainfall: 2, wind_speed: 10 }],
      [
        "weewx-metricwx",
        "17",
        "5.0",
        "1013.2",
        "10.0",
        "0.1",
        { temperature: 5, rainfall: 0.2, wind_speed: 10 },
      ],
    ] as const
  ).map(([format, system, temperature, pressure, wind, rain, row]) => ({
    format,
    lines: [
      "dateTime,usUnits,interval,barometer,outTemp,outHumidity,windSpeed,windDir,rain",
      `1735689600,${system},30,${pressure},${temperature},80,${wind},200,${rain}`,
      `1735691400,${system},30,${pressure},${temperature},80,${wind},,${rain}`,
    ],
    row: { timestamp: "2025-01-01T00:30:00Z", ...row },
  })),
  {
    format: "cumulusmx",
    zone: "Europe/London",
    alike: ["cumulusmx-uk"],
    lines: [
      "01/01/25,00:00,5.1,88,3.3,12.6,20.0,225,0.0,0.0,1012.4,100.2,20.1,45,15.0,4.0",
      "01/01/25,01:00,5.0,88,3.2,10.8,18.0,230,0.0,0.8,1012.0,101.0,20.1,45,15.0,4.0",
    ],
    row: { timestamp: "2025-01-01T01:00:00Z", temperature: 5, wind_speed: 3, rainfall: 0.8 },
  },
  {
    format: "cumulusmx-us",
    zone: "America/New_York",
    lines: [
      "01-07-25,00:00,68.0,88,50.0,10.0,20.0,225,0.0,0.0,29.92,10.00,70.1,45,15.0,68.0",
      "01-07-25,01:00,68.0,88,50.0,10.0,20.0,225,0.0,0.1,29.92,10.10,70.1,45,15.0,68.0",
    ],
    row: { timestamp: "2025-07-01T05:00:00Z", temperature: 20, wind_speed: 4.47, rainfall: 2.54 },
  },
  {
    format: "cumulusmx-comma",
    zone: "Europe/Berlin",
    lines: [
      "01.01.25;00:00;5,1;88;3,3;12,6;20,0;225;0,0;0,0;1012,4;100,2;20,1;45;15,0;4,0",
      "01.01.25;01:00;5,0;88;3,2;10,8;18,0;230;0,0;0,8;1012,0;101,0;20,1;45;15,0;4,0",
    ],
    row: { timestamp: "2025-01-01T00:00:00Z", temperature: 5, pressure: 1012, rainfall: 0.8 },
  },
  {
    format: "home-assistant",
    lines: [
      "entity_id,state,last_changed",
      "sensor.outdoor_temperature,8.3,2025-01-01T00:00:00.000Z",
      "sensor.outdoor_temperature,unavailable,2025-01-01T01:00:00.000Z",
      "sensor.outdoor_humidity,80,2025-01-01T00:05:00.000Z",
      "sensor.outdoor_pressure,1013.2,2025-01-01T00:10:00.000Z",
      "sensor.kitchen_temperature,21.5,2025-01-01T00:00:00.000Z",
    ],
    row: { timestamp: "2025-01-01T00:00:00Z", temperature: 8.3, humidity: null },
  },
  {
    format: "noaa-lcd",
    zone: "-05:00",
    lines: [
      '"STATION","DATE","REPORT_TYPE","HourlyDewPointTemperature","HourlyDryBulbTemperature","HourlyPrecipitation","HourlyRelativeHumidity","HourlySeaLevelPressure","HourlyVisibility","HourlyWindDirection","HourlyWindGustSpeed","HourlyWindSpeed"',
      '"72505394728","2025-01-01T00:51:00","FM-15","32","41","0.10","76","29.92","10.00","220","15","10"',
      '"72505394728","2025-01-01T01:51:00","FM-15","32s","41s","T","76","29.92","9.94V","VRB","","5"',
      '"72505394728","2025-01-01T23:59:00","SOD  ","","","","","","","","",""',
    ],
    row: { timestamp: "2025-01-01T06:51:00Z", city: "72505394728", temperature: 5, rainfall: 0 },
  },
  {
    format: "noaa-isd",
    lines: [
      '"STATION","DATE","NAME","REPORT_TYPE","WND","CIG","VIS","TMP","DEW","SLP","AA1"',
      '"72505394728","2025-01-01T00:51:00","CENTRAL PARK, NY US","FM-15","160,1,N,0046,1","22000,1,9,N","016000,1,9,9","+0123,1","-0011,1","10132,1","01,0005,9,5"',
      '"72505394728","2025-01-01T01:51:00","CENTRAL PARK, NY US","FM-15","999,9,C,0000,1","99999,9,9,N","999999,9,9,9","+9999,9","+9999,9","99999,9","06,0020,9,5"',
      '"72505394728","2025-01-01T02:51:00","CENTRAL PARK, NY US","FM-15","170,1,N,0031,1","22000,1,9,N","016000,1,9,9","+0450,3","-0011,1","10132,1",""',
    ],
    row: {
      timestamp: "2025-01-01T00:51:00Z",
      city: "CENTRAL PARK, NY US",
      temperature: 12.3,
      rainfall: 0.5,
      wind_direction: 160,
      wind_speed: 4.6,
      visibility: 16e3,
      dew_point: -1.1,
    },
  },
  {
    format: "noaa-ghcnh",
    lines: [
      "Station_ID|Station_name|Year|Month|Day|Hour|Minute|Latitude|Longitude|Elevation|temperature|temperature_Quality_Code|dew_point_temperature|sea_level_pressure|wind_direction|wind_speed|wind_gust|precipitation|relative_humidity|visibility",
      "USW00094728|NEW YORK CNTRL PK|2025|1|1|0|51|40.78|-73.97|42.7|12.3|1|5.1|1013.2|160|4.6||0.5|61|16.093",
      "USW00094728|NEW YORK CNTRL PK|2025|1|1|1|51|40.78|-73.97|42.7|12.1|1|||999|||||",
    ],
    row: {
      timestamp: "2025-01-01T00:51:00Z",
      city: "NEW YORK CNTRL PK",
      temperature: 12.3,
      visibility: 16_093,
    },
  },
  {
    format: "meteostat-bulk",
    lines: [
      "2025-01-01,0,5.1,3.2,88,0.4,,220,12.6,28.8,1013.2,,7",
      "2025-01-01,1,5.0,3.2,88,0.0,,,,,1013.0,,",
    ],
    row: {
      timestamp: "2025-01-01T00:00:00Z",
      wind_speed: 3.5,
      weather_description: "light rain",
      rainfall: 0.4,
    },
  },
  {
    format: "meteostat",
    lines: [
      "time,temp,dwpt,rhum,prcp,snow,wdir,wspd,wpgt,pres,tsun,coco",
      "2025-01-01 00:00:00,5.1,3.2,88,0.4,,220,12.6,28.8,1013.2,,7",
    ],
    row: { timestamp: "2025-01-01T00:00:00Z", wind_gust: 8, humidity: 88 },
  },
  {
    format: "dwd-cdc",
    lines: [
      "STATIONS_ID;MESS_DATUM;QN_9;TT_TU;RF_TU;eor",
      "       1048;2025010100;    3;   6.4;  93.0;eor",
      "       1048;2025010101;    3;-999;  92.0;eor",
    ],
    row: { timestamp: "2025-01-01T00:00:00Z", city: "1048", temperature: 6.4, humidity: 93 },
  },
  {
    format: "dwd-cdc",
    lines: ["STATIONS_ID;MESS_DATUM;QN_3;   F;   D;eor", "       1048;2025010100;   10;   4.1; 240;eor"],
    row: { timestamp: "2025-01-01T00:00:00Z", wind_speed: 4.1, wind_direction: 240 },
  },
  {
    format: "environment-canada",
    zone: "-05:00",
    lines: [
      '\uFEFF"Longitude (x)","Latitude (y)","Station Name","Climate ID","Date/Time (LST)","Year","Temp (°C)","Temp Flag","Dew Point Temp (°C)","Rel Hum (%)","Precip. Amount (mm)","Wind Dir (10s deg)","Wind Spd (km/h)","Visibility (km)","Stn Press (kPa)","Weather"',
      '"-75.67","45.32","OTTAWA","6106001","2025-01-01 00:00","2025","-5.1","","-7.2","85","0.2","29","18","16.1","100.25","Snow"',
      '"-75.67","45.32","OTTAWA","6106001","2025-01-01 01:00","2025","","M","","","","","","","","NA"',
    ],
    row: {
      timestamp: "2025-01-01T05:00:00Z",
      city: "OTTAWA",
      temperature: -5.1,
      wind_direction: 290,
      wind_speed: 5,
      weather_description: "Snow",
      pressure: null,
    },
  },
  {
    format: "bom",
    lines: [
      "[notice]",
      'copyright="x"',
      "[$]",
      "[header]",
      'main_ID="IDX"',
      "[data]",
      "sort_order,wmo,name[80],local_date_time_full[80],aifstime_utc[80],air_temp,press_msl,rain_trace[80],rel_hum,wind_dir[80],wind_spd_kmh",
      '0,94000,"Here","20250106120000","20250106020000",25.1,1013.2,"0.0",60,"NNE",18',
      '1,94000,"Here","20250106113000","20250106013000",24.9,1013.4,"-",-9999.0,"CALM",0',
      "[$]",
    ],
    row: {
      timestamp: "2025-01-06T01:30:00Z",
      city: "Here",
      humidity: null,
      wind_speed: 0,
      temperature: 24.9,
    },
  },
  {
    format: "knmi",
    lines: [
      "# BRON: invented",
      "# T = temperature in 0.1 °C",
      "# STN,YYYYMMDD,   HH,   DD,   FH,    T,   RH,    P,    U",
      "",
      "  235,20250103,   23,  290,   90,   42,    5,10104,   74",
      "  235,20250103,   24,  990,   80,   40,   -1,10107,   72",
    ].filter((line) => line !== ""),
    row: { timestamp: "2025-01-04T00:00:00Z", city: "235", temperature: 4, rainfall: 0, wind_speed: 8 },
  },
  {
    format: "meteoswiss",
    lines: [
      "station_abbr;reference_timestamp;tre200h0;ure200h0;pp0qffh0;fkl010h0;rre150h0",
      "BER;01.01.2025 00:00;1.3;88.1;1020.4;2.1;0.3",
      "BER;01.01.2025 01:00;1.1;-;1020.1;2.0;0.0",
    ],
    row: { timestamp: "2025-01-01T00:00:00Z", city: "BER", temperature: 1.3, rainfall: 0.3 },
  },
  {
    format: "meteoswiss-current",
    lines: [
      "Station/Location;Date;tre200s0;ure200s0;pp0qffs0;fu3010z0",
      "BER;202501010000;1.3;88.1;1020.4;7.2",
      "TAE;202501010000;1.2;-;1020.1;3.6",
    ],
    row: { timestamp: "2025-01-01T00:00:00Z", city: "TAE", temperature: 1.2, wind_speed: 1 },
  },
  {
    format: "iem-asos",
    lines: [
      "#DEBUG: Format Typ    -> comma",
      "#DEBUG: Time Period   -> x",
      "station,valid,tmpf,dwpf,relh,drct,sknt,p01i,mslp,vsby,gust,skyc1",
      "NYC,2025-01-01 00:51,41.00,33.80,75.6,180.00,8.00,0.02,1013.20,10.00,M,OVC",
      "NYC,2025-01-01 01:51,M,M,M,M,0.00,T,1013.00,10.00,M,OVC",
    ],
    row: { timestamp: "2025-01-01T00:51:00Z", city: "NYC", temperature: 5, rainfall: 0.508 },
  },
  {
    format: "midas",
    lines: [
      "Conventions,G,BADC-CSV,1",
      "title,G,uk-hourly-weather-obs",
      "data",
      "ob_time,id,air_temperature,msl_pressure,wind_speed,rltv_hum",
      "2025-01-01 00:00:00,708,10.6,1013.2,8,80",
      "end data",
    ],
    row: { timestamp: "2025-01-01T00:00:00Z", temperature: 10.6, wind_speed: 4.116 },
  },
];
