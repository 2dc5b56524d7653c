-- The usual pressure of each series on each day (UTC): the median over the hours of that day and the 29 before it, each hour by
-- the median of its reports, which one wrong pressure does not move. So what a report is compared with depends on no later day, and
-- is the same whatever range is read. Read by the embedded engine alone: Spark has no median over a moving window.

WITH hours AS (
  SELECT city, source, date_trunc('day', timestamp) AS day, median(pressure) AS pressure
  FROM in_time
  WHERE pressure IS NOT NULL
  GROUP BY city, source, date_trunc('day', timestamp), date_trunc('hour', timestamp)
),
moving AS (
  SELECT city, source, day, median(pressure) OVER past AS pressure_level, count(*) OVER past AS hours
  FROM hours
  WINDOW past AS (PARTITION BY city, source ORDER BY day RANGE BETWEEN INTERVAL 29 DAYS PRECEDING AND CURRENT ROW)
)
SELECT city, source, day, max(pressure_level) AS pressure_level
FROM moving
-- Less than a day says little.
WHERE hours >= 24
GROUP BY city, source, day
