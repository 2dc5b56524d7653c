-- Each hour (UTC) of each city: what statistics of time are made of, so that an hour counts once however often it was reported.
-- Its value is the mean of its sources', and a source's the mean of its reports in the hour. Values that fail their tests are left
-- out. Counts and extremes are of reports. `wet` is the share of the reports with rain of 0.1 mm or more.

WITH source_hours AS (
  SELECT
    city,
    date_trunc('hour', timestamp) AS hour,
    count(*) AS n,
    count(CASE WHEN flag = 3 THEN 1 END) AS n_suspect,
    count(CASE WHEN flag = 4 THEN 1 END) AS n_failed,
    -- A time that fails is none.
    min(CASE WHEN q_time <> 4 THEN timestamp END) AS first_timestamp,
    max(CASE WHEN q_time <> 4 THEN timestamp END) AS last_timestamp,
    count(CASE WHEN temperature_flag <> 4 THEN temperature END) AS n_temperature,
    min(CASE WHEN temperature_flag <> 4 THEN temperature END) AS temperature_min,
    max(CASE WHEN temperature_flag <> 4 THEN temperature END) AS temperature_max,
    avg(CASE WHEN temperature_flag <> 4 THEN temperature END) AS temperature,
    avg(CASE WHEN humidity_flag <> 4 THEN humidity END) AS humidity,
    avg(CASE WHEN pressure_flag <> 4 THEN pressure END) AS pressure,
    avg(CASE WHEN wind_speed_flag <> 4 THEN wind_speed END) AS wind_speed,
    avg(CASE WHEN rainfall_flag <> 4 THEN CASE WHEN rainfall >= 0.1e0 THEN 1e0 WHEN rainfall < 0.1e0 THEN 0e0 END END)
      AS wet
  FROM quality
  GROUP BY city, source, date_trunc('hour', timestamp)
)
SELECT
  city,
  hour,
  cast(sum(n) AS bigint) AS n,
  cast(sum(n_suspect) AS bigint) AS n_suspect,
  cast(sum(n_failed) AS bigint) AS n_failed,
  min(first_timestamp) AS first_timestamp,
  max(last_timestamp) AS last_timestamp,
  cast(sum(n_temperature) AS bigint) AS n_temperature,
  min(temperature_min) AS temperature_min,
  max(temperature_max) AS temperature_max,
  avg(temperature) AS temperature,
  avg(humidity) AS humidity,
  avg(pressure) AS pressure,
  avg(wind_speed) AS wind_speed,
  avg(wet) AS wet
FROM source_hours
GROUP BY city, hour
