-- Each observation with its QARTOD flags: 1 good, 2 not evaluated, 3 suspect, 4 fail, 9 missing. docs/quality.md has
-- every test with its formula and limits; the limits stand in limits.csv. In here a test that was not evaluated is NULL,
-- which greatest() passes over. No test looks back further than 24 h, so that the live judge needs no more.
-- What is read more than once is a view of its own, quality_alone.sql and those it reads: of a WITH that is read twice DuckDB
-- keeps every column, and all of them would go through the windows below.

-- Beside the report before and the one after. One whose time fails stands beside none whose time is right.
WITH beside AS (
  SELECT
    *,
    seconds - lag(seconds) OVER series AS since_before,
    -- In brackets: Spark reads "series - seconds" as a name.
    (lead(seconds) OVER series) - seconds AS until_after,
    temperature - lag(temperature) OVER series AS temperature_above_before,
    temperature - lead(temperature) OVER series AS temperature_above_after,
    pressure - lag(pressure) OVER series AS pressure_above_before,
    pressure - lead(pressure) OVER series AS pressure_above_after,
    abs(humidity - lag(humidity) OVER series) AS humidity_change,
    lead(ingested_seconds) OVER series < ingested_seconds AS is_overtaken
  FROM quality_alone
  WINDOW series AS (PARTITION BY city, source, is_ahead ORDER BY timestamp)
),
-- How far a value sticks out from both beside it: 0 when it lies between them.
departures AS (
  SELECT
    b.*,
    b.since_before <= t.span_1h AND b.until_after <= t.span_1h AS is_between,
    -- Near enough to the one before to tell what stands still and what jumps.
    coalesce(b.since_before <= t.span_3h, false) AS is_run,
    CASE
      WHEN (temperature_above_before > 0e0) = (temperature_above_after > 0e0)
      THEN least(abs(temperature_above_before), abs(temperature_above_after))
      ELSE 0e0 * temperature_above_before * temperature_above_after
    END AS temperature_departure,
    CASE
      WHEN (pressure_above_before > 0e0) = (pressure_above_after > 0e0)
      THEN least(abs(pressure_above_before), abs(pressure_above_after))
      ELSE 0e0 * pressure_above_before * pressure_above_after
    END AS pressure_departure
  FROM beside AS b
  CROSS JOIN quality_bounds AS t
),
spikes AS (
  SELECT
    d.*,
    CASE
      WHEN NOT d.is_between THEN NULL
      WHEN d.temperature_departure <= t.spike_temperature_suspect THEN 1
      WHEN d.temperature_departure <= t.spike_temperature_fail THEN 3
      WHEN d.temperature_departure > t.spike_temperature_fail THEN 4
    END AS spike_temperature,
    -- One back on the level between two off it is the good one.
    CASE
      WHEN NOT d.is_between THEN NULL
      WHEN d.pressure_departure <= t.spike_pressure_suspect THEN 1
      WHEN d.pressure_departure > t.spike_pressure_fail
        AND coalesce(
          abs(d.pressure - d.pressure_level) >= abs(d.pressure - d.pressure_above_before - d.pressure_level), true
        )
      THEN 4
      WHEN d.pressure_departure > t.spike_pressure_suspect THEN 3
    END AS spike_pressure,
    CASE
      WHEN d.since_before > t.span_1h THEN NULL
      WHEN d.humidity_change <= t.step_humidity_suspect THEN 1
      WHEN d.humidity_change > t.step_humidity_suspect THEN 3
    END AS step_humidity,
    -- Reports overtake each other within a source's usual delay.
    CASE
      WHEN d.arrival = 1 AND d.is_overtaken AND d.ingested_seconds - d.seconds > t.order_suspect THEN 3
      ELSE d.arrival
    END AS time_flag,
    -- Where a run of one value begins, where pressure jumps, where it keeps its level.
    CASE WHEN d.is_run AND d.temperature_above_before = 0e0 THEN NULL ELSE d.seconds END AS temperature_start,
    CASE WHEN d.is_run AND d.humidity_change = 0e0 THEN NULL ELSE d.seconds END AS humidity_start,
    CASE WHEN d.is_run AND d.pressure_above_before = 0e0 THEN NULL ELSE d.seconds END AS pressure_start,
    CASE WHEN d.is_run AND abs(d.pressure_above_before) > t.step_pressure_fail THEN d.seconds END AS jump,
    CASE WHEN d.off_level = 1 THEN d.seconds END AS on_level
  FROM departures AS d
  CROSS JOIN quality_bounds AS t
),
-- What later reports are compared with: no value that is itself suspect, because the good ones after it would fail by it.
kept AS (
  SELECT
    *,
    CASE WHEN gross_temperature < 4 AND coalesce(spike_temperature, 1) = 1 THEN temperature END AS temperature_kept,
    CASE
      WHEN gross_pressure < 4 AND coalesce(spike_pressure, 1) = 1 AND coalesce(off_level, 1) = 1 THEN pressure
    END AS pressure_kept
  FROM spikes
),
followed AS (
  SELECT
    *,
    abs(temperature - lag(temperature_kept, 1) OVER series) AS change_1,
    abs(temperature - lag(temperature_kept, 2) OVER series) AS change_2,
    abs(temperature - lag(temperature_kept, 3) OVER series) AS change_3,
    abs(temperature - lag(temperature_kept, 6) OVER series) AS change_6,
    abs(temperature - lag(temperature_kept, 12) OVER series) AS change_12,
    seconds - lag(seconds, 2) OVER series AS since_2,
    seconds - lag(seconds, 3) OVER series AS since_3,
    seconds - lag(seconds, 6) OVER series AS since_6,
    seconds - lag(seconds, 12) OVER series AS since_12,
    abs(pressure - lag(pressure_kept) OVER series) AS pressure_change,
    seconds - max(temperature_start) OVER past AS temperature_run,
    seconds - max(humidity_start) OVER past AS humidity_run,
    seconds - max(pressure_start) OVER past AS pressure_run,
    max(jump) OVER past AS last_jump,
    max(on_level) OVER past AS last_on_level
  FROM kept
  WINDOW
    series AS (PARTITION BY city, source, is_ahead ORDER BY timestamp),
    past AS (PARTITION BY city, source, is_ahead ORDER BY timestamp ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
),
-- By how much a change exceeds its limit: that of an hour while the other report is no older, else that of its own
-- span.
excesses AS (
  SELECT
    f.*,
    t.*,
    f.change_1 - CASE WHEN f.since_before <= t.span_1h THEN t.step_1h END AS excess_1,
    f.change_2 - CASE WHEN f.since_2 <= t.span_1h THEN t.step_1h WHEN f.since_2 <= t.span_2h THEN t.step_2h END AS excess_2,
    f.change_3 - CASE WHEN f.since_3 <= t.span_1h THEN t.step_1h WHEN f.since_3 <= t.span_3h THEN t.step_3h END AS excess_3,
    f.change_6 - CASE WHEN f.since_6 <= t.span_1h THEN t.step_1h WHEN f.since_6 <= t.span_6h THEN t.step_6h END AS excess_6,
    f.change_12 - CASE WHEN f.since_12 <= t.span_1h THEN t.step_1h WHEN f.since_12 <= t.span_12h THEN t.step_12h END
      AS excess_12,
    -- Back where it was some reports ago: the change is that of the values in between.
    coalesce(
      least(
        CASE WHEN f.since_2 <= t.span_3h THEN f.change_2 END, CASE WHEN f.since_3 <= t.span_3h THEN f.change_3 END
      ) <= t.step_1h,
      false
    ) AS is_return,
    coalesce(
      least(
        CASE WHEN f.since_6 <= t.span_12h THEN f.change_6 END, CASE WHEN f.since_12 <= t.span_12h THEN f.change_12 END
      ) <= t.step_1h,
      false
    ) AS is_late_return,
    -- The level was left within a day and by no jump: air can do that.
    coalesce(f.seconds - f.last_on_level <= 86400e0 AND coalesce(f.last_jump <= f.last_on_level, true), false)
      AS is_gradual
  FROM followed AS f
  CROSS JOIN quality_bounds AS t
),
tested AS (
  SELECT
    *,
    CASE
      WHEN since_before <= span_1h AND change_1 > step_1h_fail AND NOT is_return AND NOT is_late_return THEN 4
      WHEN greatest(excess_1, excess_2, excess_3) > 0e0 AND NOT is_return THEN 3
      WHEN greatest(excess_6, excess_12) > 0e0 THEN 3
      WHEN greatest(excess_1, excess_2, excess_3, excess_6, excess_12) IS NOT NULL THEN 1
    END AS step_temperature,
    -- Fast changes of pressure are real at some places: one fails only where another test confirms it.
    CASE
      WHEN since_before > span_1h THEN NULL
      WHEN pressure_change <= step_pressure_suspect THEN 1
      WHEN pressure_change > step_pressure_fail
        AND (gross_pressure = 4 OR (off_level = 4 AND NOT is_gradual))
      THEN 4
      WHEN pressure_change > step_pressure_suspect THEN 3
    END AS step_pressure,
    CASE
      WHEN temperature IS NULL OR NOT is_run THEN NULL
      WHEN temperature_run >= stuck_temperature_fail THEN 4
      WHEN temperature_run >= stuck_temperature_suspect THEN 3
      ELSE 1
    END AS stuck_temperature,
    CASE
      WHEN humidity IS NULL OR NOT is_run THEN NULL
      WHEN humidity >= saturation THEN 1
      WHEN humidity_run >= stuck_humidity_fail THEN 4
      WHEN humidity_run >= stuck_humidity_suspect THEN 3
      ELSE 1
    END AS stuck_humidity,
    CASE
      WHEN pressure IS NULL OR NOT is_run THEN NULL
      WHEN pressure_run >= stuck_pressure_suspect THEN 3
      ELSE 1
    END AS stuck_pressure,
    CASE
      WHEN NOT is_gradual THEN off_level
      WHEN off_level = 4 THEN 3
      WHEN off_level IS NOT NULL THEN 1
    END AS level_pressure
  FROM excesses
)
SELECT
  {{each column:@, }}
  coalesce(gross, 9) AS q_gross,
  CASE
    WHEN coalesce(temperature, humidity, pressure) IS NULL THEN 9
    ELSE coalesce(greatest(step_temperature, step_humidity, step_pressure), 2)
  END AS q_step,
  CASE
    WHEN coalesce(temperature, pressure) IS NULL THEN 9
    ELSE coalesce(greatest(spike_temperature, spike_pressure), 2)
  END AS q_spike,
  CASE
    WHEN coalesce(temperature, humidity, pressure) IS NULL THEN 9
    ELSE coalesce(greatest(stuck_temperature, stuck_humidity, stuck_pressure), 2)
  END AS q_stuck,
  CASE WHEN pressure IS NULL THEN 9 ELSE coalesce(level_pressure, 2) END AS q_level,
  CASE WHEN coalesce(temperature, wind_speed, rainfall) IS NULL THEN 9 ELSE coalesce(consistency, 2) END
    AS q_consistency,
  coalesce(time_flag, 2) AS q_time,
  CASE WHEN temperature IS NULL THEN 9 ELSE coalesce(neighbour, 2) END AS q_neighbour,
  CASE
    WHEN temperature IS NULL THEN coalesce(gross_temperature, 9)
    ELSE greatest(own_temperature, step_temperature, spike_temperature, stuck_temperature)
  END AS temperature_flag,
  CASE
    WHEN humidity IS NULL THEN coalesce(gross_humidity, 9)
    ELSE greatest(own_humidity, step_humidity, stuck_humidity)
  END AS humidity_flag,
  CASE
    WHEN pressure IS NULL THEN coalesce(gross_pressure, 9)
    ELSE greatest(own_pressure, step_pressure, spike_pressure, stuck_pressure, level_pressure)
  END AS pressure_flag,
  CASE WHEN wind_speed IS NULL THEN coalesce(gross_wind_speed, 9) ELSE own_wind_speed END AS wind_speed_flag,
  CASE WHEN rainfall IS NULL THEN coalesce(gross_rainfall, 9) ELSE own_rainfall END AS rainfall_flag,
  {{each optional:CASE WHEN @ IS NULL THEN coalesce(gross_@, 9) ELSE own_@ END AS @_flag, }}
  CASE
    WHEN gross IS NULL THEN 9
    ELSE greatest(
      own_flag, time_flag, step_temperature, step_humidity, step_pressure, spike_temperature, spike_pressure,
      stuck_temperature, stuck_humidity, stuck_pressure, level_pressure
    )
  END AS flag
FROM tested
