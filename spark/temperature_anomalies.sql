-- title: Temperature anomalies
-- answers: Which temperatures are unusual for their city and hour of the day, and what is usual there?
-- schedule: default
-- chart: band x=timestamp y=temperature low=lower high=upper series=city
-- parameter: hours integer 48 Hours back from the newest observation; null for all

WITH readings AS (
  SELECT city, source, timestamp, cast(extract(hour FROM timestamp) AS int) AS hour_of_day, temperature
  FROM observations
  WHERE temperature IS NOT NULL
),
centres AS (
  SELECT
    city,
    hour_of_day,
    count(*) AS n,
    count(DISTINCT date_trunc('day', timestamp)) AS days,
    median(temperature) AS centre,
    avg(temperature) AS mean,
    stddev_samp(temperature) AS stddev
  FROM readings
  GROUP BY city, hour_of_day
),
-- The median absolute deviation, scaled to the standard deviation of a normal distribution, at least 0.5 °C.
spreads AS (
  SELECT
    r.city,
    r.hour_of_day,
    greatest(1.4826e0 * median(abs(r.temperature - c.centre)), 0.5e0) AS spread
  FROM readings AS r
  JOIN centres AS c ON c.city = r.city AND c.hour_of_day = r.hour_of_day
  GROUP BY r.city, r.hour_of_day
),
places AS (
  SELECT
    city,
    source,
    timestamp,
    hour_of_day,
    temperature,
    row_number() OVER (PARTITION BY city ORDER BY timestamp DESC, source) AS place,
    max(timestamp) OVER () AS newest
  FROM readings
),
judged AS (
  SELECT
    p.timestamp,
    p.city,
    p.source,
    p.temperature,
    c.centre AS expected,
    c.centre - 3.5e0 * s.spread AS lower,
    c.centre + 3.5e0 * s.spread AS upper,
    (p.temperature - c.centre) / nullif(s.spread, 0e0) AS z_robust,
    (p.temperature - c.mean) / nullif(c.stddev, 0e0) AS z_classic,
    c.mean,
    c.stddev,
    c.n,
    c.days,
    p.place = 1 AS is_newest,
    cast(:hours AS int) IS NULL
      OR p.timestamp > p.newest - cast(:hours AS int) * INTERVAL '1' HOUR AS is_recent
  FROM places AS p
  JOIN centres AS c ON c.city = p.city AND c.hour_of_day = p.hour_of_day
  JOIN spreads AS s ON s.city = p.city AND s.hour_of_day = p.hour_of_day
),
rated AS (
  SELECT
    *,
    CASE
      WHEN days < 10 THEN 'insufficient data'
      WHEN abs(z_robust) >= 3.5e0 THEN 'unusual'
      ELSE 'normal'
    END AS status
  FROM judged
)
SELECT
  timestamp,
  city,
  source,
  temperature,
  expected,
  lower,
  upper,
  z_robust,
  z_classic,
  mean,
  stddev,
  n,
  days,
  'median and MAD by city and hour of day (UTC)' AS method,
  status,
  CASE
    WHEN status <> 'unusual' THEN NULL
    WHEN abs(z_robust) >= 6.5e0 THEN 3
    WHEN abs(z_robust) >= 5e0 THEN 2
    ELSE 1
  END AS severity,
  status = 'unusual' AS is_anomaly,
  is_newest
FROM rated
WHERE is_newest OR (is_recent AND status = 'unusual')
ORDER BY timestamp DESC, city, source
