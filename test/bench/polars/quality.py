"""Quality control as `spark/views/quality.sql` has it, with polars. Every city of the benchmark has one source, so that the
comparison of sources, where there is nothing to compare, is left out."""

import polars as pl

SERIES = ["city", "source"]
VARIABLES = ("temperature", "humidity", "pressure", "wind_speed", "rainfall")
BOUNDS = ("suspect_low", "suspect_high", "fail_low", "fail_high")
c = pl.col


def flag(*cases):
    """The flag of the first case that holds; null where none does."""
    chain = pl
    for condition, value in cases:
        chain = chain.when(condition).then(pl.lit(value, pl.Int32))
    return chain.otherwise(pl.lit(None, pl.Int32))


def upto(value, suspect, fail):
    """Good up to one bound, suspect up to the other, failed beyond."""
    return flag((value <= suspect, 1), (value <= fail, 3), (value > fail, 4))


def places(cities, limits):
    """The bounds of each city and half of the year, a column each."""
    rows = []
    for city in cities:
        latitude = "low" if abs(city["latitude"]) <= 45 else "high"
        for half in ("apr-sep", "oct-mar"):
            season = "summer" if (city["latitude"] >= 0) == (half == "apr-sep") else "winter"
            row = {"city": city["name"], "half": half}
            for one in limits:
                matches = one["latitude"] in (None, latitude) and one["season"] in (None, season)
                if matches and one["test"] in ("gross", "level"):
                    row |= {f"{one['test']}_{one['variable']}_{bound}": one[bound] for bound in BOUNDS}
            rows.append(row)
    return pl.DataFrame(rows, infer_schema_length=None).lazy()


def levels(observations):
    return (
        observations.filter(c("pressure").is_not_null())
        .group_by(SERIES)
        .agg(c("pressure").median().alias("pressure_level"), pl.len().alias("n"))
        .filter(c("n") >= 24)
    )


def gross(name):
    return flag(
        (c(name).is_between(c(f"gross_{name}_suspect_low"), c(f"gross_{name}_suspect_high")), 1),
        (c(name).is_between(c(f"gross_{name}_fail_low"), c(f"gross_{name}_fail_high")), 3),
        (c(name).is_not_null(), 4),
    ).alias(f"gross_{name}")


def departure(before, after):
    return (
        pl.when((c(before) > 0) == (c(after) > 0))
        .then(pl.min_horizontal(c(before).abs(), c(after).abs()))
        .otherwise(0.0 * c(before) * c(after))
    )


def quality(observations, cities, limits, level):
    """Every observation with its flags, by city, source and time."""
    limit = {(one["test"], one["variable"], one["hours"]): one for one in limits}

    def of(test, variable, bound="suspect_high", hours=None):
        return limit[test, variable, hours][bound]

    def before(name, n=1):
        return c(name).shift(n).over(SERIES)

    def since_start(name):
        return c("seconds") - c(name).cum_max().forward_fill().over(SERIES)

    alone = (
        observations.with_columns(
            (c("timestamp").dt.epoch("us") / 1e6).alias("seconds"),
            (c("ingested_at").dt.epoch("us") / 1e6).alias("ingested_seconds"),
            pl.when(c("timestamp").dt.month().is_between(4, 9))
            .then(pl.lit("apr-sep"))
            .otherwise(pl.lit("oct-mar"))
            .alias("half"),
        )
        .join(places(cities, limits), on=["city", "half"], how="left")
        .join(level.select(*SERIES, "pressure_level"), on=SERIES, how="left")
        .with_columns(
            *[gross(name) for name in VARIABLES],
            (c("pressure") - c("pressure_level")).abs().alias("off"),
            (c("dew_point") - c("temperature")).alias("moist"),
            (c("ingested_seconds") - c("seconds")).alias("age"),
        )
        .with_columns(
            upto(c("off"), c("level_pressure_suspect_high"), c("level_pressure_fail_high")).alias("off_level"),
            upto(
                c("moist"), of("consistency", "dew_point"), of("consistency", "dew_point", "fail_high")
            ).alias("dew_point_flag"),
            flag((c("wind_gust") < c("wind_speed"), 3), (c("wind_gust") >= c("wind_speed"), 1)).alias("gust_flag"),
            flag(
                ((c("rainfall") > 0) & (c("weather_main") == "Clear"), 3),
                (c("rainfall").is_not_null() & c("weather_main").is_not_null(), 1),
            ).alias("rain_flag"),
            flag(
                (c("age") > 60 * of("time", "history"), None),
                (c("age") < 60 * of("time", "age", "fail_low"), 4),
                (c("age") > 60 * of("time", "age"), 3),
                (c("age").is_not_null(), 1),
            ).alias("arrival"),
        )
        .with_columns(
            flag((c("dew_point_flag") > 1, 3)).alias("moisture"),
            flag((c("arrival") == 4, 4)).alias("future"),
        )
        .sort("city", "source", "timestamp")
    )
    beside = alone.with_columns(
        (c("seconds") - before("seconds")).alias("since_before"),
        (before("seconds", -1) - c("seconds")).alias("until_after"),
        (c("temperature") - before("temperature")).alias("temperature_before"),
        (c("temperature") - before("temperature", -1)).alias("temperature_after"),
        (c("pressure") - before("pressure")).alias("pressure_before"),
        (c("pressure") - before("pressure", -1)).alias("pressure_after"),
        (c("humidity") - before("humidity")).abs().alias("humidity_change"),
        (before("ingested_seconds", -1) < c("ingested_seconds")).alias("is_overtaken"),
    ).with_columns(
        ((c("since_before") <= 4200) & (c("until_after") <= 4200)).alias("is_between"),
        (c("since_before") <= 11400).fill_null(False).alias("is_run"),
        departure("temperature_before", "temperature_after").alias("temperature_departure"),
        departure("pressure_before", "pressure_after").alias("pressure_departure"),
    )

    def start(is_same):
        return pl.when(c("is_run") & is_same).then(None).otherwise(c("seconds"))

    pressure_fail = of("step", "pressure", "fail_high", 1)
    is_farther = (c("pressure") - c("pressure_level")).abs() >= (
        c("pressure") - c("pressure_before") - c("pressure_level")
    ).abs()
    spikes = beside.with_columns(
        pl.when(c("is_between"))
        .then(
            upto(
                c("temperature_departure"),
                of("spike", "temperature"),
                of("spike", "temperature", "fail_high"),
            )
        )
        .alias("spike_temperature"),
        flag(
            (~c("is_between"), None),
            (c("pressure_departure") <= of("spike", "pressure"), 1),
            ((c("pressure_departure") > of("spike", "pressure", "fail_high")) & is_farther.fill_null(True), 4),
            (c("pressure_departure") > of("spike", "pressure"), 3),
        ).alias("spike_pressure"),
        flag(
            (c("since_before") > 4200, None),
            (c("humidity_change") <= of("step", "humidity", hours=1), 1),
            (c("humidity_change").is_not_null(), 3),
        ).alias("step_humidity"),
        pl.when((c("arrival") == 1) & c("is_overtaken")).then(3).otherwise(c("arrival")).alias("time_flag"),
        start(c("temperature_before") == 0).alias("temperature_start"),
        start(c("humidity_change") == 0).alias("humidity_start"),
        start(c("pressure_before") == 0).alias("pressure_start"),
        pl.when(c("is_run") & (c("pressure_before").abs() > pressure_fail)).then(c("seconds")).alias("jump"),
        pl.when(c("off_level") == 1).then(c("seconds")).alias("on_level"),
    ).with_columns(
        pl.when((c("gross_temperature") < 4) & (c("spike_temperature").fill_null(1) == 1))
        .then(c("temperature"))
        .alias("temperature_kept"),
        pl.when(
            (c("gross_pressure") < 4) & (c("spike_pressure").fill_null(1) == 1) & (c("off_level").fill_null(1) == 1)
        )
        .then(c("pressure"))
        .alias("pressure_kept"),
    )
    followed = spikes.with_columns(
        *[(c("temperature") - before("temperature_kept", n)).abs().alias(f"change_{n}") for n in (1, 2, 3, 6, 12)],
        *[(c("seconds") - before("seconds", n)).alias(f"since_{n}") for n in (2, 3, 6, 12)],
        c("since_before").alias("since_1"),
        (c("pressure") - before("pressure_kept")).abs().alias("pressure_change"),
        since_start("temperature_start").alias("temperature_run"),
        since_start("humidity_start").alias("humidity_run"),
        since_start("pressure_start").alias("pressure_run"),
        c("jump").cum_max().forward_fill().over(SERIES).alias("last_jump"),
        c("on_level").cum_max().forward_fill().over(SERIES).alias("last_on_level"),
    )
    step_1h = of("step", "temperature", hours=1)

    def excess(n):
        bound = pl.when(c(f"since_{n}") <= 4200).then(step_1h)
        if n > 1:
            bound = bound.when(c(f"since_{n}") <= n * 3600 + 600).then(of("step", "temperature", hours=n))
        return (c(f"change_{n}") - bound.otherwise(None)).alias(f"excess_{n}")

    def comes_back(pairs, within):
        changes = [pl.when(c(f"since_{n}") <= within).then(c(f"change_{n}")) for n in pairs]
        return (pl.min_horizontal(changes) <= step_1h).fill_null(False)

    jumped = c("last_jump") <= c("last_on_level")
    soon = pl.max_horizontal("excess_1", "excess_2", "excess_3")
    late = pl.max_horizontal("excess_6", "excess_12")

    def stuck(name, fails=True):
        value = of("stuck", name) * 3600
        bounds = [(c(f"{name}_run") >= of("stuck", name, "fail_high") * 3600, 4)] if fails else []
        return [(c(name).is_null() | ~c("is_run"), None)], [*bounds, (c(f"{name}_run") >= value, 3), (pl.lit(True), 1)]

    blind_t, stuck_t = stuck("temperature")
    blind_h, stuck_h = stuck("humidity")
    blind_p, stuck_p = stuck("pressure", fails=False)
    tested = (
        followed.with_columns(
            *[excess(n) for n in (1, 2, 3, 6, 12)],
            comes_back((2, 3), 11400).alias("is_return"),
            comes_back((6, 12), 43800).alias("is_late_return"),
            ((c("seconds") - c("last_on_level") <= 86400) & jumped.fill_null(True))
            .fill_null(False)
            .alias("is_gradual"),
        )
        .with_columns(
            flag(
                (
                    (c("since_before") <= 4200)
                    & (c("change_1") > of("step", "temperature", "fail_high", 1))
                    & ~c("is_return")
                    & ~c("is_late_return"),
                    4,
                ),
                ((soon > 0) & ~c("is_return"), 3),
                (late > 0, 3),
                (soon.is_not_null() | late.is_not_null(), 1),
            ).alias("step_temperature"),
            flag(
                (c("since_before") > 4200, None),
                (c("pressure_change") <= of("step", "pressure", hours=1), 1),
                (
                    (c("pressure_change") > pressure_fail)
                    & ((c("gross_pressure") == 4) | ((c("off_level") == 4) & ~c("is_gradual"))),
                    4,
                ),
                (c("pressure_change").is_not_null(), 3),
            ).alias("step_pressure"),
            flag(*blind_t, *stuck_t).alias("stuck_temperature"),
            flag(*blind_h, (c("humidity") >= of("stuck", "saturation"), 1), *stuck_h).alias("stuck_humidity"),
            flag(*blind_p, *stuck_p).alias("stuck_pressure"),
            pl.when(~c("is_gradual")).then(c("off_level")).otherwise(c("off_level").replace(4, 3)).alias("level_flag"),
        )
    )
    tests = {
        "temperature": "gross_temperature moisture future step_temperature spike_temperature stuck_temperature",
        "humidity": "gross_humidity moisture future step_humidity stuck_humidity",
        "pressure": "gross_pressure future step_pressure spike_pressure stuck_pressure level_flag",
        "wind_speed": "gross_wind_speed gust_flag future",
        "rainfall": "gross_rainfall rain_flag future",
    }
    every = {name for names in tests.values() for name in names.split()} - {"moisture", "future"}
    return tested.select(
        *observations.collect_schema().names(),
        *[
            pl.when(c(name).is_null()).then(9).otherwise(pl.max_horizontal(names.split())).alias(f"{name}_flag")
            for name, names in tests.items()
        ],
        pl.when(pl.max_horizontal([f"gross_{name}" for name in VARIABLES]).is_null())
        .then(9)
        .otherwise(pl.max_horizontal(*sorted(every), "dew_point_flag", "time_flag"))
        .alias("flag"),
    )
