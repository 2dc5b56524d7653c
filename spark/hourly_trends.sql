-- title: Hourly trends
-- answers: How did each city's weather develop from hour to hour?
-- schedule: default
-- chart: line x=hour y=temperature_mean series=city
-- parameter: hours integer 168 Hours back from the newest hour; null for all

WITH newest AS (
  SELECT date_trunc('hour', max(timestamp)) AS hour FROM observations
),
-- As much more than is shown as the longest average needs.
hourly AS (
  SELECT
    o.city,
    date_trunc('hour', o.timestamp) AS hour,
    count(*) AS n,
    avg(o.temperature) AS temperature_mean,
    avg(o.humidity) AS humidity_mean,
    avg(o.pressure) AS pressure_mean,
    avg(o.wind_speed) AS wind_speed_mean
  FROM observations AS o
  CROSS JOIN newest
  WHERE cast(:hours AS int) IS NULL
    OR o.timestamp >= newest.hour - (cast(:hours AS int) + 22) * INTERVAL '1' HOUR
  GROUP BY o.city, date_trunc('hour', o.timestamp)
),
moving AS (
  SELECT
    city,
    hour,
    n,
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
  m.temperature_mean,
  m.humidity_mean,
  m.pressure_mean,
  m.wind_speed_mean,
  m.temperature_3h,
  m.temperature_24h,
  m.temperature_change
FROM moving AS m
CROSS JOIN newest
WHERE cast(:hours AS int) IS NULL
  OR m.hour > newest.hour - cast(:hours AS int) * INTERVAL '1' HOUR
ORDER BY m.hour, m.city
