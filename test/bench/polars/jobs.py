"""The questions of the analytic jobs, answered with polars: what `bun run bench analytics` holds the engine against.

Argument: a file with a task as JSON: the job and its arguments, the files, the cities, and the job's own result as an Arrow file. Prints as JSON what it took, and how the two results differ.
"""

import datetime
import json
import resource
import sys
import time
import zoneinfo

import polars as pl

import anomalies as anomaly
from anomalies import SERIES

c = pl.col
TASK = json.load(open(sys.argv[1]))
ARGUMENTS = TASK["arguments"]
HOUR = pl.duration(hours=1)


def observations():
    return pl.scan_parquet(TASK["files"])


def flagged():
    """The rows with the flags that are kept in the files."""
    return observations()


def newest():
    return observations().select(c("timestamp").max()).collect(engine="streaming").item()


def good(name):
    """A variable without the values that failed."""
    return pl.when(c(f"{name}_flag") != 4).then(c(name))


def recent(rows, hours):
    """What is not older than so many hours; a day more than is asked for is judged, since tests look back."""
    return rows if hours is None else rows.filter(c("timestamp") > newest() - datetime.timedelta(hours=hours))


def counts():
    return pl.len().alias("n"), (c("flag") == 3).sum().alias("n_suspect"), (c("flag") == 4).sum().alias("n_failed")


def hourly_rain(rows):
    return (
        rows.filter(c("rainfall").is_not_null() & (c("rainfall_flag") != 4))
        .group_by("city", c("timestamp").dt.truncate("1h").alias("hour"))
        .agg(c("rainfall").last(), c("timestamp").last())
    )


def city_statistics():
    rows = flagged().with_columns(c("timestamp").dt.truncate("1h").alias("hour"))
    t = good("temperature")
    weather = (
        rows.filter(c("weather_main").is_not_null())
        .group_by("city", "weather_main")
        .len()
        .sort("city", "len", "weather_main", descending=[False, True, False])
        .group_by("city", maintain_order=True)
        .agg(c("weather_main").first().alias("weather_dominant"))
    )
    rain = hourly_rain(rows).group_by("city").agg(
        c("rainfall").sum().alias("rainfall_total"), pl.len().alias("rainfall_hours")
    )
    return (
        rows.group_by("city")
        .agg(
            *counts(),
            c("hour").n_unique().alias("hours"),
            c("hour").min().alias("first_hour"),
            c("hour").max().alias("last_hour"),
            c("timestamp").min().alias("first_timestamp"),
            c("timestamp").max().alias("last_timestamp"),
            t.count().alias("n_temperature"),
            t.min().alias("temperature_min"),
            t.max().alias("temperature_max"),
            t.mean().alias("temperature_mean"),
            t.std().alias("temperature_stddev"),
            *[
                t.quantile(share, "linear").alias(f"temperature_{name}")
                for name, share in (("median", 0.5), ("p05", 0.05), ("p95", 0.95))
            ],
            *[good(name).mean().alias(f"{name}_mean") for name in ("humidity", "pressure", "wind_speed")],
        )
        .with_columns(
            (c("hours") / ((c("last_hour") - c("first_hour")).dt.total_hours() + 1)).alias("coverage")
        )
        .join(rain, on="city", how="left")
        .join(weather, on="city", how="left")
        .drop("first_hour", "last_hour")
        .sort("city")
    )


def hourly_trends():
    hours = ARGUMENTS["hours"]
    last = newest().replace(minute=0, second=0, microsecond=0)
    rows = flagged()
    if hours is not None:
        rows = rows.filter(c("timestamp") >= last - datetime.timedelta(hours=hours + 22))
    found = (
        rows.group_by("city", c("timestamp").dt.truncate("1h").alias("hour"))
        .agg(
            *counts(),
            *[
                good(name).mean().alias(f"{name}_mean")
                for name in ("temperature", "humidity", "pressure", "wind_speed")
            ],
        )
        .sort("city", "hour")
        .with_columns(
            *[
                c("temperature_mean").rolling_mean_by("hour", f"{span}h").over("city").alias(f"temperature_{span}h")
                for span in (3, 24)
            ],
            pl.when(c("hour").shift().over("city") == c("hour") - HOUR)
            .then(c("temperature_mean") - c("temperature_mean").shift().over("city"))
            .alias("temperature_change"),
        )
    )
    if hours is not None:
        found = found.filter(c("hour") > last - datetime.timedelta(hours=hours))
    return found.sort("hour", "city")


def hours_of_days(zones, first, last):
    """How long each date is in each zone."""
    rows = []
    for zone in zones:
        clock = zoneinfo.ZoneInfo(zone)
        start = lambda day: datetime.datetime.combine(day, datetime.time(), clock).astimezone(datetime.UTC)
        day = first
        while day <= last:
            after = day + datetime.timedelta(days=1)
            rows.append((zone, day, (start(after) - start(day)).total_seconds() / 3600))
            day = after
    return pl.DataFrame(rows, schema=["zone", "date", "hours_of_day"], orient="row").lazy()


def local_dates(rows):
    """Each row with the zone of its city and the date and hour that the clocks show there."""
    names = pl.DataFrame([(one["name"], one["zone"]) for one in TASK["cities"]], schema=["city", "zone"], orient="row")
    parts = []
    for zone in names["zone"].unique(maintain_order=True):
        local = c("timestamp").dt.convert_time_zone(zone)
        parts.append(
            rows.join(names.filter(c("zone") == zone).lazy(), on="city").with_columns(
                local.dt.date().alias("date"), local.dt.truncate("1h").dt.convert_time_zone("UTC").alias("local_hour")
            )
        )
    return pl.concat(parts), names["zone"].unique()


def daily_summary():
    days = ARGUMENTS["days"]
    rows = flagged()
    if days is not None:
        rows = rows.filter(c("timestamp") >= newest() - datetime.timedelta(days=days + 2))
    dated, zones = local_dates(rows)
    wind = good("wind_speed")
    angle = c("wind_direction").radians()
    rain, _ = local_dates(hourly_rain(rows))
    rain = rain.group_by("city", "date").agg(
        c("rainfall").sum().alias("rainfall_total"), pl.len().alias("rainfall_hours")
    )
    found = dated.group_by("city", "zone", "date").agg(
        c("local_hour").n_unique().alias("hours"),
        *counts(),
        good("temperature").count().alias("n_temperature"),
        good("temperature").min().alias("temperature_min"),
        good("temperature").mean().alias("temperature_mean"),
        good("temperature").max().alias("temperature_max"),
        *[good(name).mean().alias(f"{name}_mean") for name in ("humidity", "pressure", "wind_speed")],
        wind.max().alias("wind_speed_max"),
        good("wind_gust").max().alias("wind_gust_max"),
        ((wind * angle.sin()).sum() / wind.count()).alias("east"),
        ((wind * angle.cos()).sum() / wind.count()).alias("north"),
    )
    first, last = (observations().select(f(c("timestamp")).dt.date()).collect().item() for f in (pl.Expr.min, pl.Expr.max))
    day = datetime.timedelta(days=1)
    found = (
        found.join(hours_of_days(zones, first - day, last + day), on=["zone", "date"], how="left")
        .join(rain, on=["city", "date"], how="left")
        .with_columns(
            pl.min_horizontal(1.0, c("hours") / c("hours_of_day")).alias("coverage"),
            pl.when(c("east") ** 2 + c("north") ** 2 >= 0.01)
            .then((pl.arctan2("east", "north").degrees() + 360) % 360)
            .alias("wind_direction_mean"),
            c("rainfall_hours").fill_null(0),
        )
        .drop("east", "north")
    )
    if days is not None:
        found = found.filter(c("date") > c("date").max() - pl.duration(days=days))
    return found.sort("date", "city")


def derived_values():
    rows = recent(flagged(), ARGUMENTS["hours"]).select(
        "timestamp",
        *SERIES,
        good("temperature").alias("temperature"),
        good("humidity").clip(upper_bound=100).alias("humidity"),
        good("wind_speed").alias("wind_speed"),
        pl.any_horizontal([c(f"{name}_flag") == 3 for name in ("temperature", "humidity", "wind_speed")]).alias(
            "is_suspect"
        ),
    )
    t, rh, kmh = 1.8 * c("temperature") + 32, c("humidity"), 3.6 * c("wind_speed")
    gamma = (rh / 100).log() + 17.625 * c("temperature") / (243.04 + c("temperature"))
    simple = (t + 0.5 * (t + 61 + 1.2 * (t - 68) + 0.094 * rh)) / 2
    regression = (
        -42.379 + 2.04901523 * t + 10.14333127 * rh - 0.22475541 * t * rh - 6.83783e-3 * t * t
        - 5.481717e-2 * rh * rh + 1.22874e-3 * t * t * rh + 8.5282e-4 * t * rh * rh - 1.99e-6 * t * t * rh * rh
    )
    adjustment = (
        pl.when((rh < 13) & (t <= 112))
        .then(-(13 - rh) / 4 * ((17 - (t - 95).abs()).clip(lower_bound=0) / 17).sqrt())
        .when((rh > 85) & (t <= 87))
        .then((rh - 85) / 10 * ((87 - t) / 5))
        .otherwise(0.0)
    )
    index = pl.when(t < 80).then(None).when(simple < 80).then(simple).otherwise(regression + adjustment)
    bounds = (0.3, 1.6, 3.4, 5.5, 8.0, 10.8, 13.9, 17.2, 20.8, 24.5, 28.5, 32.7)
    return (
        rows.with_columns(
            pl.when(c("temperature").is_between(-40, 50) & (rh >= 1))
            .then(243.04 * gamma / (17.625 - gamma))
            .alias("dew_point"),
            index.alias("index"),
            pl.when((c("temperature") <= 10) & (kmh > 4.8))
            .then(13.12 + 0.6215 * c("temperature") + (0.3965 * c("temperature") - 11.37) * kmh**0.16)
            .alias("wind_chill"),
            pl.sum_horizontal([(c("wind_speed") >= bound).cast(pl.Int32) for bound in bounds], ignore_nulls=False)
            .alias("beaufort"),
        )
        .with_columns(pl.when(c("index") <= 137).then((c("index") - 32) / 1.8).alias("heat_index"))
        .drop("index")
        .sort("timestamp", *SERIES)
    )


def records():
    kinds = (
        ("temperature_max", "temperature", pl.Expr.max),
        ("temperature_min", "temperature", pl.Expr.min),
        ("humidity_min", "humidity", pl.Expr.min),
        ("pressure_max", "pressure", pl.Expr.max),
        ("pressure_min", "pressure", pl.Expr.min),
        ("wind_speed_max", "wind_speed", pl.Expr.max),
        ("wind_gust_max", "wind_gust", pl.Expr.max),
        ("rainfall_1h_max", "rainfall", pl.Expr.max),
    )
    aggregates = []
    for record, name, best in kinds:
        value = good(name)
        reached = value == best(value)
        aggregates.append(
            pl.struct(
                best(value).alias("value"),
                c("timestamp").filter(reached).first().alias("timestamp"),
                c("source").filter(reached).first().alias("source"),
                reached.sum().alias("times"),
                (c(f"{name}_flag").filter(reached).first() == 3).alias("is_suspect"),
                value.count().alias("n"),
            ).alias(record)
        )
    found = flagged().group_by("city").agg(c("timestamp").min().alias("since"), *aggregates).collect(engine="streaming")
    parts = [
        found.lazy().select("city", "since", pl.lit(record).alias("record"), c(record).struct.unnest())
        for record, _, _ in kinds
    ]
    return (
        pl.concat(parts)
        .filter(c("value").is_not_null() & ((c("record") != "rainfall_1h_max") | (c("value") > 0)))
        .sort("city", "record")
    )


def city_correlation():
    most = ARGUMENTS["cities"]
    rows = flagged().filter(c("temperature").is_not_null() & (c("temperature_flag") != 4)).select(
        "city", "timestamp", "temperature"
    )
    rows = rows.collect(engine="streaming")
    counted = rows.group_by("city").len().sort("len", "city", descending=[True, False])
    names = sorted(counted["city"] if most is None else counted["city"].head(most))
    cycle = ["city", c("hour").dt.truncate("1mo"), c("hour").dt.hour()]
    hourly = (
        rows.lazy()
        .filter(c("city").is_in(names))
        .group_by("city", c("timestamp").dt.truncate("1h").alias("hour"))
        .agg(c("temperature").mean())
        .with_columns(
            pl.when(pl.len().over(cycle) >= 5)
            .then(c("temperature") - c("temperature").mean().over(cycle))
            .alias("anomaly")
        )
        .collect()
    )
    wide = hourly.pivot(on="city", index="hour", values=["temperature", "anomaly"])
    places = {one["name"]: one for one in TASK["cities"]}
    pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    expressions = []
    for kind, suffix in (("anomaly", ""), ("temperature", "_raw")):
        for a, b in pairs:
            x, y = c(f"{kind}_{a}"), c(f"{kind}_{b}")
            expressions.append(pl.corr(x, y).alias(f"correlation{suffix}|{a}|{b}"))
            expressions.append((x.is_not_null() & y.is_not_null()).sum().alias(f"n{suffix}|{a}|{b}"))
    row = wide.lazy().select(expressions).collect().row(0, named=True)

    def distance(a, b):
        a, b = places[a], places[b]
        frame = pl.select(
            *[pl.lit(one[name]).radians().alias(f"{name}_{i}") for i, one in enumerate((a, b)) for name in ("latitude", "longitude")]
        )
        half = lambda name: ((c(f"{name}_1") - c(f"{name}_0")) / 2).sin() ** 2
        h = half("latitude") + c("latitude_0").cos() * c("latitude_1").cos() * half("longitude")
        return frame.select(2 * 6371 * pl.min_horizontal(1.0, h.sqrt()).arcsin()).item()

    return pl.DataFrame(
        [
            {
                "city_a": a,
                "city_b": b,
                **{name: row[f"{name}|{a}|{b}"] for name in ("correlation", "n", "correlation_raw", "n_raw")},
                "distance": distance(a, b),
            }
            for a, b in pairs
        ]
    ).lazy()


def climate_clusters():
    t = good("temperature")
    rain = good("rainfall")
    daily = (
        flagged()
        .group_by("city", c("timestamp").dt.truncate("1d").alias("day"))
        .agg(
            c("timestamp").dt.hour().filter(t.is_not_null()).n_unique().alias("hours"),
            t.mean().alias("temperature"),
            (t.max() - t.min()).alias("temperature_range"),
            good("humidity").mean().alias("humidity"),
            good("wind_speed").mean().alias("wind_speed"),
            (rain >= 0.1).mean().alias("wet"),
        )
    )
    day = c("hours") >= 8
    return (
        daily.group_by("city")
        .agg(
            day.sum().alias("days"),
            c("temperature").filter(day).mean().alias("temperature_mean"),
            c("temperature").filter(day).std().alias("temperature_spread"),
            c("temperature_range").filter(day).mean().alias("temperature_day_range"),
            c("humidity").filter(day).mean().alias("humidity_mean"),
            c("wind_speed").filter(day).mean().alias("wind_speed_mean"),
            c("wet").filter(day).mean().alias("wet_share"),
        )
        .sort("city")
    )


def forecast():
    """The history that the forecast is made of; the model is TypeScript on either side."""
    days = ARGUMENTS["days"]
    rows = flagged().filter(c("temperature_flag") < 4)
    if days is not None:
        rows = recent(rows, 24 * days)
    minute = c("timestamp").dt.minute()
    return (
        rows.select(
            *SERIES,
            "timestamp",
            "temperature",
            (c("timestamp") + pl.duration(minutes=15)).dt.truncate("1h").alias("hour"),
            pl.when(minute >= 45).then(60 - minute).otherwise(minute).alias("off"),
        )
        .sort("off", "timestamp")
        .group_by(*SERIES, "hour", maintain_order=True)
        .agg(c("temperature").first())
        .sort("city", "hour")
    )


def baseline():
    return anomaly.baseline(flagged(), {one["kind"]: one["floor"] for one in TASK["thresholds"]})


def anomalies():
    usual = baseline().collect(engine="streaming").lazy()
    end = pl.lit(newest(), pl.Datetime("us", "UTC"))
    judged = (
        anomaly.anomalies(flagged(), usual, TASK["thresholds"], end)
        .filter((c("kind") == "unusual") | (c("status") == "anomaly"))
        .with_columns(
            (c("timestamp").rank("ordinal", descending=True).over("city", "kind") == 1).alias("is_last"),
            (
                c("timestamp")
                + pl.when(c("kind") == "silent").then(pl.duration(microseconds=c("observed") * 60e6)).otherwise(pl.duration())
            ).alias("until"),
        )
        .with_columns(
            ((c("kind") == "unusual") & c("is_last")).alias("is_newest"),
            (c("status") == "anomaly").alias("is_anomaly"),
            pl.when(c("status") == "anomaly").then(
                pl.when(c("score").abs() >= c("severe")).then(3).when(c("score").abs() >= c("alert")).then(2).otherwise(1)
            ).alias("severity"),
        )
    )
    hours = ARGUMENTS["hours"]
    is_recent = pl.lit(True) if hours is None else c("until") > end - pl.duration(hours=hours)
    return judged.filter(c("is_newest") | (c("is_anomaly") & is_recent)).sort(
        "timestamp", *SERIES, "kind", descending=[True, False, False, False]
    )


def level():
    """The median of the hours of each series' newest day and the 29 before it."""
    day = c("timestamp").dt.truncate("1d")
    return (
        observations()
        .filter(c("pressure").is_not_null())
        .filter(c("timestamp") >= day.max().over(SERIES) - pl.duration(days=29))
        .group_by(*SERIES, c("timestamp").dt.truncate("1h").alias("hour"))
        .agg(c("pressure").median(), pl.len().alias("n"))
        .group_by(SERIES)
        .agg(c("pressure").median().alias("pressure_level"), pl.len().alias("hours"), c("n").sum())
        .filter(c("hours") >= 24)
        .sort(SERIES)
    )


def difference(found, wanted):
    """What differs between two results, or the largest relative difference of their numbers."""
    if found.height != wanted.height:
        return f"{found.height} rows, not {wanted.height}"
    largest = 0.0
    for name in wanted.columns:
        if name not in found.columns:
            return f"no column {name}"
        a, b = found[name], wanted[name]
        if b.dtype.is_numeric():
            a, b = a.cast(pl.Float64), b.cast(pl.Float64)
            if (a.is_null() != b.is_null()).any():
                return f"{name} has other nulls"
            largest = max(largest, ((a - b).abs() / pl.select(pl.max_horizontal(b.abs(), 1.0)).to_series()).max() or 0.0)
        elif not a.cast(b.dtype).equals(b):
            return f"{name} is another"
    return largest


started = time.perf_counter()
table = globals()[TASK["job"]]().collect(engine="streaming")
seconds = time.perf_counter() - started
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
cpu = time.process_time()
wanted = pl.read_ipc(TASK["result"])
print(json.dumps({"seconds": seconds, "cpu": cpu, "peak": peak, "rows": table.height, "difference": difference(table, wanted)}))
