-- title: City statistics
-- answers: What are the usual values of each city, and how complete is its record?
-- schedule: default
-- chart: range x=city low=temperature_p05 middle=temperature_median high=temperature_p95

WITH hourly AS (
  SELECT
    city,
    source,
    timestamp,
    date_trunc('hour', timestamp) AS hour,
    temperature,
    humidity,
    pressure,
    wind_speed,
    rainfall,
    weather_main
  FROM observations
),
-- Hours from the first to the last of the whole snapshot: what a gapless record would have.
span AS (
  SELECT
    cast(extract(day FROM max(hour) - min(hour)) AS bigint) * 24
      + cast(extract(hour FROM max(hour) - min(hour)) AS bigint) + 1 AS hours
  FROM hourly
),
statistics AS (
  SELECT
    city,
    count(*) AS n,
    count(DISTINCT hour) AS hours,
    min(timestamp) AS first_timestamp,
    max(timestamp) AS last_timestamp,
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
    avg(wind_speed) AS wind_speed_mean
  FROM hourly
  GROUP BY city
),
-- Totals of the last hour overlap when they are reported more often: the last of each hour counts.
rain_last AS (
  SELECT
    city,
    rainfall,
    row_number() OVER (PARTITION BY city, hour ORDER BY timestamp DESC, source) AS place
  FROM hourly
  WHERE rainfall IS NOT NULL
),
rain AS (
  SELECT city, count(*) AS rainfall_hours, sum(rainfall) AS rainfall_total
  FROM rain_last
  WHERE place = 1
  GROUP BY city
),
weather_counts AS (
  SELECT city, weather_main, count(*) AS n
  FROM hourly
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
  s.hours,
  cast(s.hours AS double) / nullif(cast(span.hours AS double), 0e0) AS coverage,
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
  rain.rainfall_total,
  coalesce(rain.rainfall_hours, 0) AS rainfall_hours,
  weather.weather_main AS weather_dominant
FROM statistics AS s
CROSS JOIN span
LEFT JOIN rain ON rain.city = s.city
LEFT JOIN weather ON weather.city = s.city AND weather.place = 1
ORDER BY s.city
