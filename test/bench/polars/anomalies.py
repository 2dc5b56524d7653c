"""What is usual, and what is not, as `spark/baseline.sql` and `spark/views/anomaly.sql` have it, with polars. No station of the
benchmark moves, and each hour of the day has values."""

import polars as pl

c = pl.col
SERIES = ["city", "source"]
HOUR = [*SERIES, "hour_of_day"]


def last(name, n=1):
    return c(name).shift(n).over(SERIES)


def larger(a, b):
    return pl.max_horizontal(a, b)


def placed(rows):
    return rows.with_columns(
        c("timestamp").dt.epoch("us").alias("micros"),
        c("timestamp").dt.hour().cast(pl.Int32).alias("hour_of_day"),
        ((c("timestamp").dt.epoch("us") % 3_600_000_000) / 3600e6).alias("part"),
    )


def baseline(flagged, floors):
    """What is usual of each series and hour of the day, as of its newest report."""
    age = (c("micros").max().over(SERIES) - c("micros")) / 86400e6
    season = (
        placed(flagged)
        .with_columns(
            age.alias("age"),
            c("timestamp").dt.truncate("1d").alias("day"),
            pl.when(c("temperature_flag") != 4).then(c("temperature")).alias("t"),
        )
        .filter((c("age") < 30) | ((c("age") > 345) & ((c("age") + 15) % 365.25 < 30)))
        .with_columns(
            pl.when(c("age") < 7).then((c("micros") - last("micros")) / 60e6).alias("minutes"),
            pl.when(c("t").is_not_null()).then(c("part")).alias("part"),
        )
        .select(*HOUR, "timestamp", "micros", "day", "t", "part", "minutes")
    )
    series = season.group_by(SERIES).agg(
        c("minutes").median().alias("interval_minutes"), c("minutes").count().alias("intervals")
    )
    hours = season.group_by(HOUR).agg(
        c("t").count().alias("n"),
        c("day").filter(c("t").is_not_null()).n_unique().alias("days"),
        c("t").median().alias("median"),
        c("t").mean().alias("mean"),
        c("t").std().alias("stddev"),
        c("part").mean().alias("hour_part"),
    )

    def beside(shift, suffix):
        return hours.select(
            *SERIES,
            ((c("hour_of_day") + shift) % 24).alias("hour_of_day"),
            c("median").alias(f"median_{suffix}"),
            c("hour_part").alias(f"part_{suffix}"),
        )

    curve = (
        hours.join(beside(1, "before"), on=HOUR, how="left")
        .join(beside(23, "after"), on=HOUR, how="left")
        .with_columns(
            ((c("median") - c("median_before")) / (c("hour_part") + 1 - c("part_before")))
            .fill_null(0.0)
            .alias("slope_before"),
            ((c("median_after") - c("median")) / (c("part_after") + 1 - c("hour_part")))
            .fill_null(0.0)
            .alias("slope_after"),
        )
    )
    off = c("part") - c("hour_part")
    steps = (
        season.filter(c("t").is_not_null())
        .join(curve, on=HOUR, how="left", maintain_order="left")
        .with_columns(
            (
                c("t") - c("median") - off * pl.when(off < 0).then(c("slope_before")).otherwise(c("slope_after"))
            ).alias("departure"),
            ((c("micros") - last("micros")) / 3600e6).alias("hours"),
        )
        .with_columns(
            pl.when(c("hours") <= 6)
            .then(c("departure") - pl.lit(0.97).pow(c("hours")) * last("departure"))
            .alias("step")
        )
        .select(*HOUR, "timestamp", "departure", "step")
    )
    sizes = c("step").abs()
    spreads = (
        pl.concat(
            [
                steps.with_columns(
                    ((c("hour_of_day") + shift) % 24).alias("hour_of_day"), pl.lit(shift == 0).alias("is_own")
                )
                for shift in (0, 1, 23)
            ]
        )
        .group_by(HOUR)
        .agg(
            larger(1.4826 * c("departure").abs().median(), floors["unusual"]).alias("spread"),
            larger(
                larger(1.4826 * sizes.median(), sizes.quantile(0.9, "linear") / 1.6449), floors["step"]
            ).alias("step_spread"),
            c("step").filter("is_own").count().alias("steps"),
            c("timestamp").min().alias("first_timestamp"),
            c("timestamp").max().alias("last_timestamp"),
        )
    )
    return (
        curve.join(spreads, on=HOUR, how="left")
        .join(series, on=SERIES, how="left")
        .with_columns(
            c("hour_part").alias("part"),
            (c("median") - 3.5 * c("spread")).alias("lower"),
            (c("median") + 3.5 * c("spread")).alias("upper"),
            c("steps").sum().over(SERIES),
            c("first_timestamp").min().over(SERIES),
            c("last_timestamp").max().over(SERIES),
        )
        .sort(HOUR)
    )


def anomalies(flagged, usual, thresholds, newest):
    """Each report of the last 30 days, judged for each kind: a row a report and kind."""
    kinds = {one["kind"]: one for one in thresholds}
    rows = (
        placed(flagged.filter(c("timestamp") > newest - pl.duration(days=30)))
        .join(usual.drop("lower", "upper", "part"), on=HOUR, how="left", maintain_order="left")
        .with_columns((c("part") - c("hour_part")).alias("off"))
        .with_columns(
            (
                c("median")
                + c("off") * pl.when(c("off") < 0).then(c("slope_before")).otherwise(c("slope_after"))
            ).alias("expected"),
            ((last("micros", -1).fill_null(newest.dt.epoch("us")) - c("micros")) / 60e6).alias("silence"),
        )
        .with_columns((c("temperature") - c("expected")).alias("departure"))
    )
    silent = rows
    run = [*SERIES, "run"]
    warm = (
        rows.filter(c("temperature").is_not_null())
        .with_columns(
            ((c("micros") - last("micros")) / 3600e6).alias("hours"),
            (c("temperature") != last("temperature")).fill_null(True).cum_sum().over(SERIES).alias("run"),
        )
        .with_columns(
            pl.lit(0.97).pow(c("hours")).alias("left_over"),
            pl.when(c("hours") <= 6)
            .then(c("step_spread") * larger(1.0, c("hours") * 60 / c("interval_minutes")).sqrt())
            .alias("scale"),
        )
        .with_columns((c("left_over") * last("departure")).alias("rest"))
        .with_columns(((c("departure") - c("rest")) / c("scale")).alias("step"))
        .with_columns(
            *[last(name, -1).alias(f"{name}_after") for name in ("step", "departure", "left_over", "scale", "micros")],
            last("step").alias("step_before"),
            ((c("micros") - c("micros").first().over(run)) / 3600e6).alias("unchanged"),
            c("micros").cum_count().over(run).alias("unchanged_reports"),
            c("micros").cum_count().over(SERIES).alias("place"),
        )
        .with_columns(
            *[
                pl.when(c("step") * c(f"step_{side}") < 0)
                .then(pl.min_horizontal(c("step").abs(), c(f"step_{side}").abs()))
                .otherwise(0.0)
                .alias(f"spike_{side}")
                for side in ("before", "after")
            ]
        )
    )
    back = c("departure_after") / c("left_over_after")

    def found(kind, source, observed, expected, lower, upper, score, method, n, is_judged, unit="°C", variable="temperature"):
        limit = kinds[kind]
        is_usual = kind == "unusual"
        null = pl.lit(None, pl.Float64)
        return source.select(
            *SERIES,
            "timestamp",
            "log_offset",
            "flag",
            pl.lit(kind).alias("kind"),
            pl.lit(variable).alias("variable"),
            pl.lit(unit).alias("unit"),
            observed.cast(pl.Float64).alias("observed"),
            *[
                (null if value is None else value).cast(pl.Float64).alias(name)
                for name, value in (("expected", expected), ("lower", lower), ("upper", upper), ("score", score))
            ],
            pl.lit(method).alias("method"),
            n.fill_null(0).cast(pl.Int64).alias("n"),
            is_judged.fill_null(False).alias("is_judged"),
            (c("mean") if is_usual else null.alias("mean")),
            (c("stddev") if is_usual else null.alias("stddev")),
            *[pl.lit(float(limit[name])).alias(name) for name in ("shown", "alert", "severe")],
        )

    shown = {kind: one["shown"] for kind, one in kinds.items()}
    samples = {kind: one["samples"] for kind, one in kinds.items()}
    t, s = c("temperature"), c("scale")
    low = pl.min_horizontal(c("rest") - shown["spike"] * s, (c("departure_after") - shown["spike"] * c("scale_after")) / c("left_over_after"))
    high = pl.max_horizontal(c("rest") + shown["spike"] * s, (c("departure_after") + shown["spike"] * c("scale_after")) / c("left_over_after"))
    is_spike = larger(c("spike_before"), c("spike_after")) >= kinds["spike"]["alert"]
    parts = [
        found(
            "spike", warm.filter(c("micros_after").is_not_null()), t, c("expected") + (c("rest") + back) / 2,
            c("expected") + low, c("expected") + high, c("spike_after"),
            "two opposite steps, in usual steps of the hour", c("steps"),
            (c("steps") >= samples["spike"]) & c("step").is_not_null() & c("step_after").is_not_null(),
        ),
        found(
            "step", warm, t, c("expected") + c("rest"), c("expected") + c("rest") - shown["step"] * s,
            c("expected") + c("rest") + shown["step"] * s, pl.when(is_spike).then(0.0).otherwise(c("step")),
            "step of what departs from usual, in usual steps of the hour", c("steps"),
            (c("steps") >= samples["step"]) & c("step").is_not_null(),
        ),
        found(
            "unusual", warm, t, c("expected"), c("expected") - shown["unusual"] * c("spread"),
            c("expected") + shown["unusual"] * c("spread"), c("departure") / c("spread"),
            "robust z by hour of day and season", c("n"), c("days") >= samples["unusual"],
        ),
        found(
            "stuck", warm, c("unchanged"), None, None, pl.lit(shown["stuck"]),
            pl.when(c("unchanged_reports") >= samples["stuck"]).then(c("unchanged")).otherwise(0.0),
            "hours without a change", c("unchanged_reports"), c("place") >= samples["stuck"], unit="h",
        ),
        found(
            "silent", silent, c("silence"), c("interval_minutes"), None, shown["silent"] * c("interval_minutes"),
            c("silence") / c("interval_minutes"), "minutes without a report, in usual intervals", c("intervals"),
            c("intervals") >= samples["silent"], unit="min", variable="interval",
        ),
    ]
    return pl.concat(parts).with_columns(
        pl.when(~c("is_judged") | c("score").is_null())
        .then(pl.lit("insufficient data"))
        .when(c("score").abs() >= c("shown"))
        .then(pl.lit("anomaly"))
        .otherwise(pl.lit("normal"))
        .alias("status"),
        ((c("observed") - c("mean")) / c("stddev")).alias("z_classic"),
    )
