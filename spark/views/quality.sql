-- Each observation with its QARTOD flags: 1 good, 2 not evaluated, 3 suspect, 4 fail, 9 missing. docs/quality.md has
-- every test with its formula and limits; the limits stand in limits.csv. In here a test that was not evaluated is NULL,
-- which greatest() passes over. No test looks back further than 24 h, so that the live judge needs no more.
-- Ten minutes are added to every span between reports: hourly ones do not come to the second.

WITH bounds AS (
  SELECT
    max(CASE WHEN test = 'step' AND variable = 'temperature' AND hours = 1e0 THEN suspect_high END) AS step_1h,
    max(CASE WHEN test = 'step' AND variable = 'temperature' AND hours = 2e0 THEN suspect_high END) AS step_2h,
    max(CASE WHEN test = 'step' AND variable = 'temperature' AND hours = 3e0 THEN suspect_high END) AS step_3h,
    max(CASE WHEN test = 'step' AND variable = 'temperature' AND hours = 6e0 THEN suspect_high END) AS step_6h,
    max(CASE WHEN test = 'step' AND variable = 'temperature' AND hours = 12e0 THEN suspect_high END) AS step_12h,
    max(CASE WHEN test = 'step' AND variable = 'temperature' THEN fail_high END) AS step_1h_fail,
    max(CASE WHEN test = 'step' AND variable = 'humidity' THEN suspect_high END) AS step_humidity_suspect,
    max(CASE WHEN test = 'step' AND variable = 'pressure' THEN suspect_high END) AS step_pressure_suspect,
    max(CASE WHEN test = 'step' AND variable = 'pressure' THEN fail_high END) AS step_pressure_fail,
    max(CASE WHEN test = 'spike' AND variable = 'temperature' THEN suspect_high END) AS spike_temperature_suspect,
    max(CASE WHEN test = 'spike' AND variable = 'temperature' THEN fail_high END) AS spike_temperature_fail,
    max(CASE WHEN test = 'spike' AND variable = 'pressure' THEN suspect_high END) AS spike_pressure_suspect,
    max(CASE WHEN test = 'spike' AND variable = 'pressure' THEN fail_high END) AS spike_pressure_fail,
    max(CASE WHEN test = 'stuck' AND variable = 'temperature' THEN suspect_high END) * 3600e0
      AS stuck_temperature_suspect,
    max(CASE WHEN test = 'stuck' AND variable = 'temperature' THEN fail_high END) * 3600e0 AS stuck_temperature_fail,
    max(CASE WHEN test = 'stuck' AND variable = 'humidity' THEN suspect_high END) * 3600e0 AS stuck_humidity_suspect,
    max(CASE WHEN test = 'stuck' AND variable = 'humidity' THEN fail_high END) * 3600e0 AS stuck_humidity_fail,
    max(CASE WHEN test = 'stuck' AND variable = 'pressure' THEN suspect_high END) * 3600e0 AS stuck_pressure_suspect,
    max(CASE WHEN test = 'stuck' AND variable = 'saturation' THEN suspect_high END) AS saturation
  FROM limits
),
-- The limits of single reports of each city and half of the year; where the latitude is not known the widest.
places AS (
  SELECT
    c.city,
    h.half,
    max(c.elevation) AS elevation,
    min(CASE WHEN l.test = 'gross' AND l.variable = 'temperature' THEN l.suspect_low END) AS temperature_low,
    max(CASE WHEN l.test = 'gross' AND l.variable = 'temperature' THEN l.suspect_high END) AS temperature_high,
    min(CASE WHEN l.test = 'gross' AND l.variable = 'temperature' THEN l.fail_low END) AS temperature_fail_low,
    max(CASE WHEN l.test = 'gross' AND l.variable = 'temperature' THEN l.fail_high END) AS temperature_fail_high,
    min(CASE WHEN l.test = 'gross' AND l.variable = 'humidity' THEN l.suspect_low END) AS humidity_low,
    max(CASE WHEN l.test = 'gross' AND l.variable = 'humidity' THEN l.suspect_high END) AS humidity_high,
    min(CASE WHEN l.test = 'gross' AND l.variable = 'humidity' THEN l.fail_low END) AS humidity_fail_low,
    max(CASE WHEN l.test = 'gross' AND l.variable = 'humidity' THEN l.fail_high END) AS humidity_fail_high,
    min(CASE WHEN l.test = 'gross' AND l.variable = 'pressure' THEN l.suspect_low END) AS pressure_low,
    max(CASE WHEN l.test = 'gross' AND l.variable = 'pressure' THEN l.suspect_high END) AS pressure_high,
    min(CASE WHEN l.test = 'gross' AND l.variable = 'pressure' THEN l.fail_low END) AS pressure_fail_low,
    max(CASE WHEN l.test = 'gross' AND l.variable = 'pressure' THEN l.fail_high END) AS pressure_fail_high,
    min(CASE WHEN l.test = 'gross' AND l.variable = 'wind_speed' THEN l.suspect_low END) AS wind_speed_low,
    max(CASE WHEN l.test = 'gross' AND l.variable = 'wind_speed' THEN l.suspect_high END) AS wind_speed_high,
    min(CASE WHEN l.test = 'gross' AND l.variable = 'wind_speed' THEN l.fail_low END) AS wind_speed_fail_low,
    max(CASE WHEN l.test = 'gross' AND l.variable = 'wind_speed' THEN l.fail_high END) AS wind_speed_fail_high,
    min(CASE WHEN l.test = 'gross' AND l.variable = 'rainfall' THEN l.suspect_low END) AS rainfall_low,
    max(CASE WHEN l.test = 'gross' AND l.variable = 'rainfall' THEN l.suspect_high END) AS rainfall_high,
    min(CASE WHEN l.test = 'gross' AND l.variable = 'rainfall' THEN l.fail_low END) AS rainfall_fail_low,
    max(CASE WHEN l.test = 'gross' AND l.variable = 'rainfall' THEN l.fail_high END) AS rainfall_fail_high,
    max(CASE WHEN l.test = 'level' THEN l.suspect_high END) AS level_suspect,
    max(CASE WHEN l.test = 'level' THEN l.fail_high END) AS level_fail,
    max(CASE WHEN l.test = 'consistency' THEN l.suspect_high END) AS dew_point_suspect,
    max(CASE WHEN l.test = 'consistency' THEN l.fail_high END) AS dew_point_fail,
    max(CASE WHEN l.test = 'time' AND l.variable = 'age' THEN l.suspect_high END) * 60e0 AS age_suspect,
    max(CASE WHEN l.test = 'time' AND l.variable = 'age' THEN l.fail_low END) * 60e0 AS age_fail,
    max(CASE WHEN l.test = 'time' AND l.variable = 'history' THEN l.suspect_high END) * 60e0 AS history,
    max(CASE WHEN l.test = 'neighbour' THEN l.suspect_high END) AS neighbour_suspect,
    max(CASE WHEN l.test = 'neighbour' THEN l.fail_high END) AS neighbour_fail
  FROM (
    SELECT city, latitude, elevation FROM cities
    UNION ALL
    SELECT '', NULL, NULL
  ) AS c
  CROSS JOIN (VALUES ('oct-mar'), ('apr-sep')) AS h(half)
  JOIN limits AS l
    ON l.test IN ('gross', 'level', 'consistency', 'time', 'neighbour')
    AND (
      l.latitude IS NULL
      OR c.latitude IS NULL
      OR l.latitude = CASE WHEN abs(c.latitude) <= 45e0 THEN 'low' ELSE 'high' END
    )
    AND (
      l.season IS NULL
      OR c.latitude IS NULL
      OR l.season = CASE WHEN (c.latitude >= 0e0) = (h.half = 'apr-sep') THEN 'summer' ELSE 'winter' END
    )
  GROUP BY c.city, h.half
),
-- Cities with more than one source: only their reports pay for the comparison.
crowded AS (
  SELECT city
  FROM observations
  GROUP BY city
  HAVING min(source) <> max(source)
),
-- Reports of different sources of one city within half an hour, brought to the same height: 6.5 °C a km (ICAO standard
-- atmosphere).
reports AS (
  SELECT
    o.city,
    o.source,
    o.timestamp,
    cast(unix_micros(o.timestamp) AS double) / 1e6 AS seconds,
    o.temperature,
    coalesce(s.elevation, p.elevation) AS elevation,
    p.neighbour_suspect,
    p.neighbour_fail
  FROM observations AS o
  JOIN crowded AS n ON n.city = o.city
  LEFT JOIN cities AS c ON c.city = o.city
  JOIN places AS p
    ON p.city = coalesce(c.city, '')
    AND p.half = CASE WHEN extract(month FROM o.timestamp) BETWEEN 4 AND 9 THEN 'apr-sep' ELSE 'oct-mar' END
    AND o.temperature BETWEEN p.temperature_fail_low AND p.temperature_fail_high
  LEFT JOIN stations AS s
    ON s.city = o.city AND s.source = o.source AND s.valid_from <= o.timestamp AND o.timestamp < s.valid_to
),
-- Every hour that begins within half an hour of a report, or holds it.
slots AS (
  SELECT r.*, floor((r.seconds + b.shift) / 3600e0) AS slot
  FROM reports AS r
  CROSS JOIN (VALUES (-1800e0), (1800e0)) AS b(shift)
),
pairs AS (
  SELECT
    r.city,
    r.source,
    r.timestamp,
    r.temperature,
    s.source AS other,
    s.temperature + coalesce(6.5e-3 * (s.elevation - r.elevation), 0e0) AS other_temperature,
    r.neighbour_suspect,
    r.neighbour_fail
  FROM reports AS r
  JOIN slots AS s
    ON s.city = r.city
    AND s.slot = floor(r.seconds / 3600e0)
    AND s.source <> r.source
    AND abs(s.seconds - r.seconds) <= 1800e0
),
-- Each other source counts once, by the report that comes nearest.
others AS (
  SELECT
    city,
    source,
    timestamp,
    other,
    min(abs(temperature - other_temperature)) AS difference,
    min(other_temperature) AS low,
    max(other_temperature) AS high,
    neighbour_suspect,
    neighbour_fail
  FROM pairs
  GROUP BY city, source, timestamp, other, neighbour_suspect, neighbour_fail
),
-- Of two sources nobody knows which is wrong: both are suspect. Of more, one fails that differs from most of all, where
-- those agree with each other.
neighbours AS (
  SELECT
    city,
    source,
    timestamp,
    CASE
      WHEN 2 * count_if(difference > neighbour_suspect) < count(*) + 1 THEN 1
      WHEN 2 * count_if(difference > neighbour_fail) > count(*) + 1
        AND max(CASE WHEN difference > neighbour_fail THEN high END)
          - min(CASE WHEN difference > neighbour_fail THEN low END) <= max(neighbour_suspect)
      THEN 4
      ELSE 3
    END AS neighbour
  FROM others
  GROUP BY city, source, timestamp
),
compared AS (
  SELECT o.*, cast(NULL AS int) AS neighbour
  FROM observations AS o
  LEFT JOIN crowded AS n ON n.city = o.city
  WHERE n.city IS NULL
  UNION ALL
  SELECT o.*, b.neighbour
  FROM observations AS o
  JOIN crowded AS n ON n.city = o.city
  LEFT JOIN neighbours AS b ON b.city = o.city AND b.source = o.source AND b.timestamp = o.timestamp
),
timed AS (
  SELECT
    o.*,
    coalesce(c.city, '') AS place,
    CASE WHEN extract(month FROM o.timestamp) BETWEEN 4 AND 9 THEN 'apr-sep' ELSE 'oct-mar' END AS half,
    cast(unix_micros(o.timestamp) AS double) / 1e6 AS seconds,
    cast(unix_micros(o.ingested_at) AS double) / 1e6 AS ingested_seconds
  FROM compared AS o
  LEFT JOIN cities AS c ON c.city = o.city
),
-- What a report shows by itself.
alone AS (
  SELECT
    o.*,
    CASE
      WHEN o.temperature BETWEEN p.temperature_low AND p.temperature_high THEN 1
      WHEN o.temperature BETWEEN p.temperature_fail_low AND p.temperature_fail_high THEN 3
      WHEN o.temperature IS NOT NULL THEN 4
    END AS gross_temperature,
    CASE
      WHEN o.humidity BETWEEN p.humidity_low AND p.humidity_high THEN 1
      WHEN o.humidity BETWEEN p.humidity_fail_low AND p.humidity_fail_high THEN 3
      WHEN o.humidity IS NOT NULL THEN 4
    END AS gross_humidity,
    CASE
      WHEN o.pressure BETWEEN p.pressure_low AND p.pressure_high THEN 1
      WHEN o.pressure BETWEEN p.pressure_fail_low AND p.pressure_fail_high THEN 3
      WHEN o.pressure IS NOT NULL THEN 4
    END AS gross_pressure,
    CASE
      WHEN o.wind_speed BETWEEN p.wind_speed_low AND p.wind_speed_high THEN 1
      WHEN o.wind_speed BETWEEN p.wind_speed_fail_low AND p.wind_speed_fail_high THEN 3
      WHEN o.wind_speed IS NOT NULL THEN 4
    END AS gross_wind_speed,
    CASE
      WHEN o.rainfall BETWEEN p.rainfall_low AND p.rainfall_high THEN 1
      WHEN o.rainfall BETWEEN p.rainfall_fail_low AND p.rainfall_fail_high THEN 3
      WHEN o.rainfall IS NOT NULL THEN 4
    END AS gross_rainfall,
    CASE
      WHEN abs(o.pressure - v.pressure_level) <= p.level_suspect THEN 1
      WHEN abs(o.pressure - v.pressure_level) <= p.level_fail THEN 3
      WHEN abs(o.pressure - v.pressure_level) > p.level_fail THEN 4
    END AS off_level,
    v.pressure_level,
    CASE
      WHEN o.dew_point - o.temperature <= p.dew_point_suspect THEN 1
      WHEN o.dew_point - o.temperature <= p.dew_point_fail THEN 3
      WHEN o.dew_point - o.temperature > p.dew_point_fail THEN 4
    END AS dew_point_flag,
    CASE WHEN o.wind_gust < o.wind_speed THEN 3 WHEN o.wind_gust >= o.wind_speed THEN 1 END AS gust_flag,
    CASE
      WHEN o.rainfall > 0e0 AND o.weather_main = 'Clear' THEN 3
      WHEN o.rainfall IS NOT NULL AND o.weather_main IS NOT NULL THEN 1
    END AS rain_flag,
    CASE
      WHEN o.ingested_seconds - o.seconds > p.history THEN NULL
      WHEN o.ingested_seconds - o.seconds < p.age_fail THEN 4
      WHEN o.ingested_seconds - o.seconds > p.age_suspect THEN 3
      ELSE 1
    END AS arrival
  FROM timed AS o
  JOIN places AS p ON p.city = o.place AND p.half = o.half
  LEFT JOIN level AS v ON v.city = o.city AND v.source = o.source
),
-- The worst of it for each variable. Of temperature and dew point nobody knows which is wrong: temperature and humidity
-- are suspect, whatever the record is. A late report is as good as another, but no value from the future has a time.
own AS (
  SELECT
    *,
    greatest(gross_temperature, neighbour, moisture, future) AS own_temperature,
    greatest(gross_humidity, moisture, future) AS own_humidity,
    greatest(gross_pressure, future) AS own_pressure,
    greatest(gross_wind_speed, gust_flag, future) AS own_wind_speed,
    greatest(gross_rainfall, rain_flag, future) AS own_rainfall,
    greatest(gross_temperature, gross_humidity, gross_pressure, gross_wind_speed, gross_rainfall) AS gross,
    greatest(dew_point_flag, gust_flag, rain_flag) AS consistency,
    greatest(
      gross_temperature, gross_humidity, gross_pressure, gross_wind_speed, gross_rainfall,
      dew_point_flag, gust_flag, rain_flag, arrival, neighbour
    ) AS own_flag
  FROM (
    SELECT
      *,
      CASE WHEN dew_point_flag > 1 THEN 3 END AS moisture,
      CASE WHEN arrival = 4 THEN 4 END AS future
    FROM alone
  ) AS a
),
-- Beside the report before and the one after.
beside AS (
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
  FROM own
  WINDOW series AS (PARTITION BY city, source ORDER BY timestamp)
),
-- How far a value sticks out from both beside it: 0 when it lies between them.
departures AS (
  SELECT
    *,
    since_before <= 4200e0 AND until_after <= 4200e0 AS is_between,
    -- Near enough to the one before to tell what stands still and what jumps.
    coalesce(since_before <= 11400e0, false) AS is_run,
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
  FROM beside
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
      WHEN d.since_before > 4200e0 THEN NULL
      WHEN d.humidity_change <= t.step_humidity_suspect THEN 1
      WHEN d.humidity_change > t.step_humidity_suspect THEN 3
    END AS step_humidity,
    CASE WHEN d.arrival = 1 AND d.is_overtaken THEN 3 ELSE d.arrival END AS time_flag,
    -- Where a run of one value begins, where pressure jumps, where it keeps its level.
    CASE WHEN d.is_run AND d.temperature_above_before = 0e0 THEN NULL ELSE d.seconds END AS temperature_start,
    CASE WHEN d.is_run AND d.humidity_change = 0e0 THEN NULL ELSE d.seconds END AS humidity_start,
    CASE WHEN d.is_run AND d.pressure_above_before = 0e0 THEN NULL ELSE d.seconds END AS pressure_start,
    CASE WHEN d.is_run AND abs(d.pressure_above_before) > t.step_pressure_fail THEN d.seconds END AS jump,
    CASE WHEN d.off_level = 1 THEN d.seconds END AS on_level
  FROM departures AS d
  CROSS JOIN bounds AS t
),
-- What later reports are held against: no value that is itself in doubt, else it would condemn those that follow it.
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
    series AS (PARTITION BY city, source ORDER BY timestamp),
    past AS (PARTITION BY city, source ORDER BY timestamp ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
),
-- By how much a change exceeds its limit: that of an hour while the other report is no older, else that of its own
-- span.
excesses AS (
  SELECT
    f.*,
    t.*,
    f.change_1 - CASE WHEN f.since_before <= 4200e0 THEN t.step_1h END AS excess_1,
    f.change_2 - CASE WHEN f.since_2 <= 4200e0 THEN t.step_1h WHEN f.since_2 <= 7800e0 THEN t.step_2h END AS excess_2,
    f.change_3 - CASE WHEN f.since_3 <= 4200e0 THEN t.step_1h WHEN f.since_3 <= 11400e0 THEN t.step_3h END AS excess_3,
    f.change_6 - CASE WHEN f.since_6 <= 4200e0 THEN t.step_1h WHEN f.since_6 <= 22200e0 THEN t.step_6h END AS excess_6,
    f.change_12 - CASE WHEN f.since_12 <= 4200e0 THEN t.step_1h WHEN f.since_12 <= 43800e0 THEN t.step_12h END
      AS excess_12,
    -- Back where it was some reports ago: the change is that of the values in between.
    coalesce(
      least(
        CASE WHEN f.since_2 <= 11400e0 THEN f.change_2 END, CASE WHEN f.since_3 <= 11400e0 THEN f.change_3 END
      ) <= t.step_1h,
      false
    ) AS is_return,
    coalesce(
      least(
        CASE WHEN f.since_6 <= 43800e0 THEN f.change_6 END, CASE WHEN f.since_12 <= 43800e0 THEN f.change_12 END
      ) <= t.step_1h,
      false
    ) AS is_late_return,
    -- The level was left within a day and by no jump: air can do that.
    coalesce(f.seconds - f.last_on_level <= 86400e0 AND coalesce(f.last_jump <= f.last_on_level, true), false)
      AS is_gradual
  FROM followed AS f
  CROSS JOIN bounds AS t
),
tested AS (
  SELECT
    *,
    CASE
      WHEN since_before <= 4200e0 AND change_1 > step_1h_fail AND NOT is_return AND NOT is_late_return THEN 4
      WHEN greatest(excess_1, excess_2, excess_3) > 0e0 AND NOT is_return THEN 3
      WHEN greatest(excess_6, excess_12) > 0e0 THEN 3
      WHEN greatest(excess_1, excess_2, excess_3, excess_6, excess_12) IS NOT NULL THEN 1
    END AS step_temperature,
    -- Fast changes of pressure are real at some places: one fails only where another test confirms it.
    CASE
      WHEN since_before > 4200e0 THEN NULL
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
  timestamp,
  city,
  temperature,
  humidity,
  pressure,
  wind_speed,
  rainfall,
  weather_main,
  weather_description,
  source,
  wind_direction,
  wind_gust,
  dew_point,
  clouds,
  visibility,
  log_offset,
  ingested_at,
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
    WHEN temperature IS NULL THEN 9
    ELSE greatest(own_temperature, step_temperature, spike_temperature, stuck_temperature)
  END AS temperature_flag,
  CASE WHEN humidity IS NULL THEN 9 ELSE greatest(own_humidity, step_humidity, stuck_humidity) END AS humidity_flag,
  CASE
    WHEN pressure IS NULL THEN 9
    ELSE greatest(own_pressure, step_pressure, spike_pressure, stuck_pressure, level_pressure)
  END AS pressure_flag,
  CASE WHEN wind_speed IS NULL THEN 9 ELSE own_wind_speed END AS wind_speed_flag,
  CASE WHEN rainfall IS NULL THEN 9 ELSE own_rainfall END AS rainfall_flag,
  CASE
    WHEN gross IS NULL THEN 9
    ELSE greatest(
      own_flag, time_flag, step_temperature, step_humidity, step_pressure, spike_temperature, spike_pressure,
      stuck_temperature, stuck_humidity, stuck_pressure, level_pressure
    )
  END AS flag
FROM tested
