"""Reads files of formats as their documentation says, with pandas, and prints the rows of each as a line of JSON.

It knows nothing of column maps: it is what the program's reading is compared with.

    python read_formats.py FORMAT FILE ZONE [FORMAT FILE ZONE …]
"""

import json
import sys

import pandas as pd

COMPASS = "N NNE NE ENE E ESE SE SSE S SSW SW WSW W WNW NW NNW".split()
FORMAT = PATH = ZONE = ""  # of the file that is read


def number(column):
    return pd.to_numeric(column, errors="coerce")


def fahrenheit(column):
    return (number(column) - 32) * 5 / 9


def compass(column):
    return column.map(lambda name: COMPASS.index(name) * 22.5 if name in COMPASS else None)


def local(column, form=None, dayfirst=False):
    times = pd.to_datetime(column, format=form, dayfirst=dayfirst)
    return times.dt.tz_localize(ZONE).dt.tz_convert("UTC")


def utc(column, form=None):
    return pd.to_datetime(column, format=form, utc=True)


def rain_of_intervals(times, amounts, steps):
    """The sum of an hour of intervals; unknown where fewer than `steps` of them are there."""
    series = pd.Series(list(amounts), index=pd.DatetimeIndex(times))
    return series.rolling("60min", min_periods=steps).sum().to_numpy()


def wunderground():
    d = pd.read_csv(PATH, comment="<", header=None, skiprows=1)
    names = open(PATH).readline().split(",")
    names[-1] = "DateUTC"
    d.columns = [*names, "end"]
    return dict(
        time=utc(d.DateUTC),
        temperature=fahrenheit(d.TemperatureF),
        dew_point=fahrenheit(d.DewpointF),
        humidity=d.Humidity,
        pressure=d.PressureIn * 33.8639,
        wind_speed=d.WindSpeedMPH * 0.44704,
        wind_gust=d.WindSpeedGustMPH * 0.44704,
        wind_direction=d.WindDirectionDegrees,
        rainfall=d.HourlyPrecipIn * 25.4,
    )


def wunderground_table():
    d = pd.read_csv(PATH)
    text = lambda name: number(d[name].str.extract(r"([-\d.]+)")[0])
    total = text("Precip. Accum.") * 25.4
    return dict(
        time=local(d.Date + " " + d.Time),
        temperature=(text("Temperature") - 32) / 1.8,
        dew_point=(text("Dew Point") - 32) / 1.8,
        humidity=text("Humidity"),
        pressure=text("Pressure") * 33.8639,
        wind_speed=text("Speed") * 0.44704,
        wind_gust=text("Gust") * 0.44704,
        wind_direction=compass(d.Wind),
        # In the first hour of a day the total is the rain since midnight, and the day before is not known.
        rainfall=[None, *(total.diff().iloc[1:])],
    )


def weatherlink():
    d = pd.read_csv(PATH, skiprows=5, encoding="latin-1", na_values=["--"])
    times = local(d["Date & Time"], "%d/%m/%y %H:%M" if FORMAT.endswith("dmy") else "%m/%d/%y %I:%M %p")
    return dict(
        time=times,
        temperature=d["Temp - °C"],
        humidity=d["Hum - %"],
        pressure=d["Barometer - hPa"],
        wind_speed=d["Wind Speed - km/h"] / 3.6,
        wind_direction=compass(d["Wind Direction"]),
        rainfall=rain_of_intervals(times, d["Rain - mm"], 2),
    )


def weatherlink_text():
    d = pd.read_csv(PATH, sep="\t", skiprows=2, header=None, na_values=["---"])
    stamp = d[0] + " " + d[1] + "m"
    times = local(stamp, "%m/%d/%y %I:%M%p")
    return dict(
        time=times,
        temperature=fahrenheit(d[2]),
        humidity=d[3],
        dew_point=fahrenheit(d[4]),
        wind_speed=d[5] * 0.44704,
        wind_direction=compass(d[6]),
        wind_gust=d[8] * 0.44704,
        pressure=d[9] * 33.8639,
        rainfall=rain_of_intervals(times, d[10] * 25.4, 2),
    )


def ecowitt():
    d = pd.read_csv(PATH, na_values=["-", "--"])
    imperial = "Outdoor Temperature(℉)" in d.columns
    heat = (lambda name: fahrenheit(d[name + "(℉)"])) if imperial else (lambda name: d[name + "(℃)"])
    wind = (lambda name: d[name + "(mph)"] * 0.44704) if imperial else (lambda name: d[name + "(m/s)"])
    return dict(
        time=local(d.Time),
        temperature=heat("Outdoor Temperature"),
        dew_point=heat("Dew Point"),
        humidity=d["Outdoor Humidity(%)"],
        wind_speed=wind("Wind"),
        wind_gust=wind("Gust"),
        wind_direction=d["Wind Direction(deg)"],
        pressure=d["REL Pressure(inHg)"] * 33.8639 if imperial else d["REL Pressure(hPa)"],
        rainfall=d["Hourly Rain(in)"] * 25.4 if imperial else d["Hourly Rain(mm)"],
    )


def ambient():
    d = pd.read_csv(PATH)
    return dict(
        time=utc(d.Date),
        temperature=fahrenheit(d["Outdoor Temperature (°F)"]),
        dew_point=fahrenheit(d["Dew Point (°F)"]),
        wind_speed=d["Wind Speed (mph)"] * 0.44704,
        wind_gust=d["Wind Gust (mph)"] * 0.44704,
        wind_direction=d["Wind Direction (°)"],
        rainfall=d["Hourly Rain (in)"] * 25.4,
        pressure=d["Relative Pressure (inHg)"] * 33.8639,
        humidity=d["Humidity (%)"],
    )


def weewx():
    d = pd.read_csv(PATH)
    times = pd.to_datetime(d.dateTime, unit="s", utc=True)
    us = FORMAT == "weewx-us"
    speed = {"weewx-us": 0.44704, "weewx-metric": 1 / 3.6, "weewx-metricwx": 1}[FORMAT]
    depth = {"weewx-us": 25.4, "weewx-metric": 10, "weewx-metricwx": 1}[FORMAT]
    return dict(
        time=times,
        temperature=fahrenheit(d.outTemp) if us else d.outTemp,
        humidity=d.outHumidity,
        pressure=d.barometer * 33.8639 if us else d.barometer,
        wind_speed=d.windSpeed * speed,
        wind_direction=d.windDir,
        rainfall=rain_of_intervals(times, d.rain * depth, 2),
    )


def cumulusmx():
    comma = FORMAT == "cumulusmx-comma"
    d = pd.read_csv(PATH, header=None, sep=";" if comma else ",", decimal="," if comma else ".")
    us = FORMAT == "cumulusmx-us"
    speed = 1 / 3.6 if FORMAT in ("cumulusmx", "cumulusmx-comma") else 0.44704
    return dict(
        time=local(d[0].str.replace("[.-]", "/", regex=True) + " " + d[1], "%d/%m/%y %H:%M"),
        temperature=fahrenheit(d[2]) if us else d[2],
        humidity=d[3],
        dew_point=fahrenheit(d[4]) if us else d[4],
        wind_speed=d[5] * speed,
        wind_gust=d[6] * speed,
        wind_direction=d[7],
        pressure=d[10] * 33.8639 if us else d[10],
        rainfall=d[11].diff() * (25.4 if us else 1),
    )


def home_assistant():
    d = pd.read_csv(PATH)
    d["state"] = number(d.state)
    d = d.dropna().pivot(index="last_changed", columns="entity_id", values="state").reset_index()
    us = FORMAT.endswith("us")
    out = lambda name: d["sensor.outdoor_" + name]
    return dict(
        time=utc(d.last_changed),
        temperature=fahrenheit(out("temperature")) if us else out("temperature"),
        humidity=out("humidity"),
        pressure=out("pressure") * 33.8639 if us else out("pressure"),
    )


def noaa_lcd():
    d = pd.read_csv(PATH, dtype=str, na_values=["*"])
    d = d[~d.REPORT_TYPE.str.strip().isin(["SOD", "SOM"])]
    value = lambda name: number(d[name].str.rstrip("sV"))
    return dict(
        time=local(d.DATE),
        city=d.STATION,
        temperature=fahrenheit(value("HourlyDryBulbTemperature")),
        dew_point=fahrenheit(value("HourlyDewPointTemperature")),
        humidity=value("HourlyRelativeHumidity"),
        pressure=value("HourlySeaLevelPressure") * 33.8639,
        wind_speed=value("HourlyWindSpeed") * 0.44704,
        wind_gust=value("HourlyWindGustSpeed") * 0.44704,
        wind_direction=value("HourlyWindDirection"),
        visibility=value("HourlyVisibility") * 1609.344,
        rainfall=number(d.HourlyPrecipitation.replace("T", "0").str.rstrip("s")) * 25.4,
    )


def noaa_isd():
    d = pd.read_csv(PATH, dtype=str)
    d = d[~d.REPORT_TYPE.str.strip().isin(["SOD", "SOM"])]

    def part(name, index, quality, missing, scale):
        parts = d[name].str.split(",", expand=True)
        good = ~parts[quality].isin(list("2367")) & (parts[index].str.lstrip("+") != missing)
        return number(parts[index]).where(good) * scale

    hour = d.AA1.str.startswith("01,", na=False)
    return dict(
        time=utc(d.DATE),
        city=d.NAME,
        temperature=part("TMP", 0, 1, "9999", 0.1),
        dew_point=part("DEW", 0, 1, "9999", 0.1),
        pressure=part("SLP", 0, 1, "99999", 0.1),
        wind_direction=part("WND", 0, 1, "999", 1),
        wind_speed=part("WND", 3, 4, "9999", 0.1),
        visibility=part("VIS", 0, 1, "999999", 1),
        rainfall=part("AA1", 1, 3, "9999", 0.1).where(hour),
    )


def noaa_ghcnh():
    d = pd.read_csv(PATH, sep="|")
    return dict(
        time=pd.to_datetime(d[["Year", "Month", "Day", "Hour", "Minute"]], utc=True),
        city=d.Station_name,
        temperature=d.temperature,
        dew_point=d.dew_point_temperature,
        pressure=d.sea_level_pressure,
        wind_direction=d.wind_direction.mask(d.wind_direction == 999),
        wind_speed=d.wind_speed,
        rainfall=d.precipitation,
        humidity=d.relative_humidity,
        visibility=d.visibility * 1000,
    )


def meteostat():
    names = "date hour temp dwpt rhum prcp snow wdir wspd wpgt pres tsun coco".split()
    if FORMAT == "meteostat-bulk":
        d = pd.read_csv(PATH, names=names)
        times = pd.to_datetime(d.date, utc=True) + pd.to_timedelta(d.hour, unit="h")
    else:
        d = pd.read_csv(PATH)
        times = utc(d.time)
    return dict(
        time=times,
        temperature=d.temp,
        dew_point=d.dwpt,
        humidity=d.rhum,
        rainfall=d.prcp,
        wind_direction=d.wdir,
        wind_speed=d.wspd / 3.6,
        wind_gust=d.wpgt / 3.6,
        pressure=d.pres,
    )


def dwd_cdc():
    d = pd.read_csv(PATH, sep=";", na_values=["-999", "-999.0"], skipinitialspace=True)
    d.columns = [name.strip() for name in d.columns]
    names = dict(TT_TU="temperature", RF_TU="humidity", F="wind_speed", D="wind_direction", R1="rainfall", P="pressure")
    return dict(
        time=utc(d.MESS_DATUM.astype(str), "%Y%m%d%H"),
        city=d.STATIONS_ID.astype(str),
        **{field: d[name] for name, field in names.items() if name in d.columns},
    )


def environment_canada():
    d = pd.read_csv(PATH)
    return dict(
        time=local(d["Date/Time (LST)"]),
        city=d["Station Name"],
        temperature=d["Temp (°C)"],
        dew_point=d["Dew Point Temp (°C)"],
        humidity=d["Rel Hum (%)"],
        rainfall=d["Precip. Amount (mm)"],
        wind_direction=d["Wind Dir (10s deg)"] * 10,
        wind_speed=d["Wind Spd (km/h)"] / 3.6,
        visibility=d["Visibility (km)"] * 1000,
    )


def bom():
    lines = open(PATH).read().split("[data]\n")[1].split("[$]")[0]
    from io import StringIO

    d = pd.read_csv(StringIO(lines), na_values=["-", "-9999.0"])
    return dict(
        time=utc(d["aifstime_utc[80]"].astype(str), "%Y%m%d%H%M%S"),
        city=d["name[80]"],
        temperature=d.air_temp,
        pressure=d.press_msl,
        humidity=d.rel_hum,
        wind_direction=compass(d["wind_dir[80]"]),
        wind_speed=d.wind_spd_kmh / 3.6,
    )


def knmi():
    lines = [line for line in open(PATH) if not line.startswith("#")]
    names = [line for line in open(PATH) if line.startswith("# STN")][0].strip("# \n").split(",")
    d = pd.DataFrame([line.strip("\n").split(",") for line in lines], columns=[name.strip() for name in names])
    d = d.apply(number)
    return dict(
        # The hour is that which ends: hour 24 is midnight.
        time=utc(d.YYYYMMDD.astype(str)) + pd.to_timedelta(d.HH, unit="h"),
        city=d.STN.astype(str),
        wind_direction=d.DD.where(~d.DD.isin([0, 990])),
        wind_speed=d.FH / 10,
        temperature=d["T"] / 10,
        rainfall=d.RH.replace(-1, 0) / 10,
        pressure=d.P / 10,
        humidity=d.U,
    )


def meteoswiss():
    d = pd.read_csv(PATH, sep=";", na_values=["-"])
    current = FORMAT == "meteoswiss-current"
    times = (
        utc(d.Date.astype(str), "%Y%m%d%H%M")
        if current
        else utc(d.reference_timestamp, "%d.%m.%Y %H:%M")
    )
    end = "s0" if current else "h0"
    return dict(
        time=times,
        city=d["Station/Location" if current else "station_abbr"],
        temperature=d["tre200" + end],
        humidity=d["ure200" + end],
        pressure=d["pp0qff" + end],
        wind_speed=d.fu3010z0 / 3.6 if current else d.fkl010h0,
        **({} if current else dict(rainfall=d.rre150h0)),
    )


def iem_asos():
    d = pd.read_csv(PATH, comment="#", na_values=["M"])
    return dict(
        time=utc(d.valid),
        city=d.station,
        temperature=fahrenheit(d.tmpf),
        dew_point=fahrenheit(d.dwpf),
        humidity=d.relh,
        wind_direction=d.drct,
        wind_speed=d.sknt * 0.514444,
        rainfall=number(d.p01i.replace("T", "0")) * 25.4,
        pressure=d.mslp,
        visibility=d.vsby * 1609.344,
        wind_gust=d.gust * 0.514444,
    )


def midas():
    from io import StringIO

    lines = open(PATH).read().split("\ndata\n")[1].split("end data")[0]
    d = pd.read_csv(StringIO(lines))
    return dict(
        time=utc(d.ob_time),
        temperature=d.air_temperature,
        humidity=d.rltv_hum,
        pressure=d.msl_pressure,
        wind_speed=d.wind_speed * 0.514444,
    )


READERS = {
    "weatherlink-dmy": weatherlink,
    "cumulusmx-uk": cumulusmx,
    "cumulusmx-us": cumulusmx,
    "cumulusmx-comma": cumulusmx,
    "weewx-us": weewx,
    "weewx-metric": weewx,
    "weewx-metricwx": weewx,
    "home-assistant-us": home_assistant,
    "meteostat-bulk": meteostat,
    "meteoswiss-current": meteoswiss,
}


def rows_of(columns):
    rows = []
    for row in pd.DataFrame({name: list(column) for name, column in columns.items()}).to_dict("records"):
        stamp = row.pop("time").strftime("%Y-%m-%dT%H:%M:%SZ")
        values = {name: value for name, value in row.items() if not pd.isna(value)}
        if set(values) - {"city"}:
            rows.append({"timestamp": stamp, **values})
    return rows


for at in range(1, len(sys.argv), 3):
    FORMAT, PATH, ZONE = sys.argv[at : at + 3]
    reader = READERS.get(FORMAT) or globals()[FORMAT.replace("-", "_")]
    print(json.dumps(rows_of(reader())))
