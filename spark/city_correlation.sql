-- title: City correlation
-- answers: Which cities have their warm and cold hours together?
-- schedule: default
-- note: `correlation` is Pearson's of the departures of the hourly means from the usual day of the month (the mean of that
-- note: hour of the day in that month; of fewer than five days nobody knows what is usual); `correlation_raw` is that of the hourly means
-- note: themselves, in which sun and season make all cities of one half of the Earth go together. `n` and `n_raw` are the hours that
-- note: both cities have; below 24 there is no correlation. `distance` is on the great circle, km. Pairs grow with the square of the
-- note: cities: as scheduled it compares the 30 cities with the most hours of temperatures, which are 435 pairs.
-- parameter: cities integer 30 Cities compared, those with the most hours of temperatures; null for all (of 1,000 that is 500,000 pairs)

WITH known AS (
  SELECT city, hour, temperature FROM city_hours WHERE temperature IS NOT NULL
),
counts AS (
  SELECT city, count(*) AS n FROM known GROUP BY city
),
chosen AS (
  SELECT city
  FROM (SELECT city, row_number() OVER (ORDER BY n DESC, city) AS place FROM counts) AS placed
  WHERE cast(:cities AS int) IS NULL OR place <= cast(:cities AS int)
),
hourly AS (
  SELECT k.city, k.hour, k.temperature
  FROM known AS k
  JOIN chosen AS c ON c.city = k.city
),
-- What is left without the usual day of the month: else all cities of one half of the Earth go together by sun and season.
-- Of fewer than five days nobody knows what is usual.
anomalies AS (
  SELECT
    city,
    hour,
    temperature,
    CASE
      WHEN count(*) OVER cycle >= 5 THEN temperature - avg(temperature) OVER cycle
    END AS anomaly
  FROM hourly
  WINDOW cycle AS (PARTITION BY city, date_trunc('month', hour), extract(hour FROM hour))
),
pairs AS (
  SELECT
    a.city AS city_a,
    b.city AS city_b,
    a.temperature AS temperature_a,
    b.temperature AS temperature_b,
    CASE WHEN b.anomaly IS NOT NULL THEN a.anomaly END AS anomaly_a,
    CASE WHEN a.anomaly IS NOT NULL THEN b.anomaly END AS anomaly_b
  FROM anomalies AS a
  JOIN anomalies AS b ON b.hour = a.hour AND a.city < b.city
),
sums AS (
  SELECT
    city_a,
    city_b,
    count(*) AS n,
    covar_pop(temperature_a, temperature_b) AS covariance,
    stddev_pop(temperature_a) AS spread_a,
    stddev_pop(temperature_b) AS spread_b,
    count(anomaly_a) AS n_anomaly,
    covar_pop(anomaly_a, anomaly_b) AS anomaly_covariance,
    stddev_pop(anomaly_a) AS anomaly_spread_a,
    stddev_pop(anomaly_b) AS anomaly_spread_b
  FROM pairs
  GROUP BY city_a, city_b
)
SELECT
  s.city_a,
  s.city_b,
  -- A day at least, and no correlation with what never changes.
  CASE
    WHEN s.n_anomaly >= 24 AND s.anomaly_spread_a > 1e-6 AND s.anomaly_spread_b > 1e-6
    THEN s.anomaly_covariance / nullif(s.anomaly_spread_a * s.anomaly_spread_b, 0e0)
  END AS correlation,
  s.n_anomaly AS n,
  CASE
    WHEN s.n >= 24 AND s.spread_a > 1e-6 AND s.spread_b > 1e-6
    THEN s.covariance / nullif(s.spread_a * s.spread_b, 0e0)
  END AS correlation_raw,
  s.n AS n_raw,
  -- On the great circle (haversine), km.
  CASE
    WHEN a.latitude IS NOT NULL AND b.latitude IS NOT NULL
    THEN 2e0 * 6371e0 * asin(least(1e0, sqrt(
      power(sin(radians(b.latitude - a.latitude) / 2e0), 2e0)
        + cos(radians(a.latitude)) * cos(radians(b.latitude)) * power(sin(radians(b.longitude - a.longitude) / 2e0), 2e0)
    )))
  END AS distance
FROM sums AS s
LEFT JOIN cities AS a ON a.city = s.city_a
LEFT JOIN cities AS b ON b.city = s.city_b
ORDER BY s.city_a, s.city_b
