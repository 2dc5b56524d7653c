-- title: City statistics
-- answers: What are the usual values of each city, and how complete is its record?
-- schedule: default
-- chart: range x=city low=temperature_p05 middle=temperature_median high=temperature_p95
-- note: `coverage` is the share of the hours from the city's own first report to its last that have a report.
-- note: Means, quantiles and the standard deviation are of hours, so that they are of time: an hour counts once, with the mean of its
-- note: sources' means, however often it was reported. `n`, `n_suspect`, `n_failed` and `n_temperature` count reports, and the smallest and
-- note: largest temperature are of reports. `weather_dominant` is the weather that was reported in the most hours.

WITH statistics AS (
  SELECT
    city,
    cast(sum(n) AS bigint) AS n,
    cast(sum(n_suspect) AS bigint) AS n_suspect,
    cast(sum(n_failed) AS bigint) AS n_failed,
    count(first_timestamp) AS hours,
    min(first_timestamp) AS first_timestamp,
    max(last_timestamp) AS last_timestamp,
    cast(sum(n_temperature) AS bigint) AS n_temperature,
    min(temperature_min) AS temperature_min,
    max(temperature_max) AS temperature_max,
    avg(temperature) AS temperature_mean,
    stddev_samp(temperature) AS temperature_stddev,
    percentile_cont(0.5e0) WITHIN GROUP (ORDER BY temperature) AS temperature_median,
    percentile_cont(0.05e0) WITHIN GROUP (ORDER BY temperature) AS temperature_p05,
    percentile_cont(0.95e0) WITHIN GROUP (ORDER BY temperature) AS temperature_p95,
    avg(humidity) AS humidity_mean,
    avg(pressure) AS pressure_mean,
    avg(wind_speed) AS wind_speed_mean
  FROM city_hours
  GROUP BY city
),
rain AS (
  SELECT city, sum(rainfall) AS total, count(*) AS hours FROM hourly_rain GROUP BY city
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
-- In how many hours each weather was reported.
weather_counts AS (
  SELECT city, weather_main, count(DISTINCT date_trunc('hour', timestamp)) AS hours
  FROM in_time
  WHERE weather_main IS NOT NULL
  GROUP BY city, weather_main
),
weather AS (
  SELECT
    city,
    weather_main,
    row_number() OVER (PARTITION BY city ORDER BY hours DESC, weather_main) AS place
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
  rain.total AS rainfall_total,
  coalesce(rain.hours, 0) AS rainfall_hours,
  weather.weather_main AS weather_dominant
FROM spans AS s
LEFT JOIN rain ON rain.city = s.city
LEFT JOIN weather ON weather.city = s.city AND weather.place = 1
ORDER BY s.city
