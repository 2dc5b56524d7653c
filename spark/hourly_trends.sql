-- title: Hourly trends
-- answers: How did each city's weather develop from hour to hour?
-- schedule: default
-- chart: line x=hour y=temperature_mean series=city
-- window: hours
-- note: Means of 3 and 24 hours are of hours, each of which counts once, with the mean of its sources' means; `n`, `n_suspect` and
-- note: `n_failed` count reports.
-- parameter: hours integer 168 Hours back from the newest hour; null for all

WITH newest AS (
  SELECT date_trunc('hour', max(timestamp)) AS hour FROM in_time
),
-- As much more than is shown as the longest average needs.
hourly AS (
  SELECT
    h.city,
    h.hour,
    h.n,
    h.n_suspect,
    h.n_failed,
    h.temperature AS temperature_mean,
    h.humidity AS humidity_mean,
    h.pressure AS pressure_mean,
    h.wind_speed AS wind_speed_mean
  FROM city_hours AS h
  CROSS JOIN newest
  WHERE cast(:hours AS int) IS NULL
    OR h.hour >= newest.hour - (cast(:hours AS int) + 22) * INTERVAL '1' HOUR
),
moving AS (
  SELECT
    city,
    hour,
    n,
    n_suspect,
    n_failed,
    temperature_mean,
    humidity_mean,
    pressure_mean,
    wind_speed_mean,
    avg(temperature_mean) OVER (
      PARTITION BY city ORDER BY hour RANGE BETWEEN INTERVAL '2' HOUR PRECEDING AND CURRENT ROW
    ) AS temperature_3h,
    avg(temperature_mean) OVER (
      PARTITION BY city ORDER BY hour RANGE BETWEEN INTERVAL '23' HOUR PRECEDING AND CURRENT ROW
    ) AS temperature_24h,
    CASE
      WHEN lag(hour) OVER (PARTITION BY city ORDER BY hour) = hour - INTERVAL '1' HOUR
      THEN temperature_mean - lag(temperature_mean) OVER (PARTITION BY city ORDER BY hour)
    END AS temperature_change
  FROM hourly
)
SELECT
  m.city,
  m.hour,
  m.n,
  m.n_suspect,
  m.n_failed,
  m.temperature_mean,
  m.humidity_mean,
  m.pressure_mean,
  m.wind_speed_mean,
  m.temperature_3h,
  m.temperature_24h,
  m.temperature_change
FROM moving AS m
CROSS JOIN newest
-- An hour that has not come yet has only reports whose time fails.
WHERE m.hour <= newest.hour
  AND (cast(:hours AS int) IS NULL OR m.hour > newest.hour - cast(:hours AS int) * INTERVAL '1' HOUR)
ORDER BY m.hour, m.city
