-- title: City statistics
-- answers: What are the usual values of each city, and how complete is its record?
-- schedule: default
-- chart: range x=city low=temperature_p05 middle=temperature_median high=temperature_p95
-- note: `coverage` is the share of the hours from the city's own first report to its last that have a report.

-- Values that fail quality control stay out; observations that are suspect are counted.
WITH hourly AS (
  SELECT
    city,
    source,
    timestamp,
    date_trunc('hour', timestamp) AS hour,
    -- A time that fails is none.
    CASE WHEN q_time <> 4 THEN timestamp END AS good_timestamp,
    CASE WHEN temperature_flag <> 4 THEN temperature END AS temperature,
    CASE WHEN humidity_flag <> 4 THEN humidity END AS humidity,
    CASE WHEN pressure_flag <> 4 THEN pressure END AS pressure,
    CASE WHEN wind_speed_flag <> 4 THEN wind_speed END AS wind_speed,
    CASE WHEN rainfall_flag NOT IN (4, 9) THEN rainfall END AS rainfall,
    flag
  FROM quality
),
-- Totals of the last hour overlap when they are reported more often: the last of each hour counts.
ranked AS (
  SELECT
    *,
    row_number() OVER (
      PARTITION BY city, hour, rainfall IS NULL ORDER BY timestamp DESC, source
    ) AS place
  FROM hourly
),
statistics AS (
  SELECT
    city,
    count(*) AS n,
    count(CASE WHEN flag = 3 THEN 1 END) AS n_suspect,
    count(CASE WHEN flag = 4 THEN 1 END) AS n_failed,
    count(DISTINCT date_trunc('hour', good_timestamp)) AS hours,
    min(good_timestamp) AS first_timestamp,
    max(good_timestamp) AS last_timestamp,
    count(temperature) AS n_temperature,
    min(temperature) AS temperature_min,
    max(temperature) AS temperature_max,
    avg(temperature) AS temperature_mean,
    stddev_samp(temperature) AS temperature_stddev,
    percentile_cont(0.5e0) WITHIN GROUP (ORDER BY temperature) AS temperature_median,
    percentile_cont(0.05e0) WITHIN GROUP (ORDER BY temperature) AS temperature_p05,
    percentile_cont(0.95e0) WITHIN GROUP (ORDER BY temperature) AS temperature_p95,
    avg(humidity) AS humidity_mean,
    avg(pressure) AS pressure_mean,
    avg(wind_speed) AS wind_speed_mean,
    sum(CASE WHEN place = 1 THEN rainfall END) AS rainfall_total,
    count(CASE WHEN place = 1 THEN rainfall END) AS rainfall_hours
  FROM ranked
  GROUP BY city
),
-- Hours from the first to the last report of the city: what a gapless record would have.
spans AS (
  SELECT
    *,
    (
      unix_micros(date_trunc('hour', last_timestamp))
        - unix_micros(date_trunc('hour', first_timestamp))
    ) / 3600e6 + 1e0 AS span
  FROM statistics
),
weather_counts AS (
  SELECT city, weather_main, count(*) AS n
  FROM in_time
  WHERE weather_main IS NOT NULL
  GROUP BY city, weather_main
),
weather AS (
  SELECT
    city,
    weather_main,
    row_number() OVER (PARTITION BY city ORDER BY n DESC, weather_main) AS place
  FROM weather_counts
)
SELECT
  s.city,
  s.n,
  s.n_suspect,
  s.n_failed,
  s.hours,
  cast(s.hours AS double) / s.span AS coverage,
  s.first_timestamp,
  s.last_timestamp,
  s.n_temperature,
  s.temperature_min,
  s.temperature_max,
  s.temperature_mean,
  s.temperature_stddev,
  s.temperature_median,
  s.temperature_p05,
  s.temperature_p95,
  s.humidity_mean,
  s.pressure_mean,
  s.wind_speed_mean,
  s.rainfall_total,
  s.rainfall_hours,
  weather.weather_main AS weather_dominant
FROM spans AS s
LEFT JOIN weather ON weather.city = s.city AND weather.place = 1
ORDER BY s.city
