-- title: Hourly trends
-- answers: How did each city's weather develop from hour to hour?
-- schedule: default
-- chart: line x=hour y=temperature_mean series=city
-- window: hours
-- parameter: hours integer 168 Hours back from the newest hour; null for all

WITH newest AS (
  SELECT date_trunc('hour', max(timestamp)) AS hour FROM in_time
),
-- As much more than is shown as the longest average needs. Values that fail quality control stay out; observations that
-- are suspect are counted.
hourly AS (
  SELECT
    q.city,
    date_trunc('hour', q.timestamp) AS hour,
    count(*) AS n,
    count(CASE WHEN q.flag = 3 THEN 1 END) AS n_suspect,
    count(CASE WHEN q.flag = 4 THEN 1 END) AS n_failed,
    avg(CASE WHEN q.temperature_flag <> 4 THEN q.temperature END) AS temperature_mean,
    avg(CASE WHEN q.humidity_flag <> 4 THEN q.humidity END) AS humidity_mean,
    avg(CASE WHEN q.pressure_flag <> 4 THEN q.pressure END) AS pressure_mean,
    avg(CASE WHEN q.wind_speed_flag <> 4 THEN q.wind_speed END) AS wind_speed_mean
  FROM quality AS q
  CROSS JOIN newest
  WHERE cast(:hours AS int) IS NULL
    OR q.timestamp >= newest.hour - (cast(:hours AS int) + 22) * INTERVAL '1' HOUR
  GROUP BY q.city, date_trunc('hour', q.timestamp)
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
