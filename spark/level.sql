-- title: Pressure levels
-- answers: Which pressure is usual of each series? A report far from it gives the pressure at the station's height in place of the sea's.
-- schedule: default
-- note: The level that quality control compares the pressures of the newest day with: [quality.md](quality.md).

-- As of the newest day of each series, and the 29 days before it. Of time and not of reports: each hour counts once. Its median and
-- not its mean, which one wrong pressure would move.
WITH newest AS (
  SELECT city, source, max(date_trunc('day', timestamp)) AS day
  FROM in_time
  WHERE pressure IS NOT NULL
  GROUP BY city, source
),
hours AS (
  SELECT o.city, o.source, median(o.pressure) AS pressure, count(*) AS n
  FROM in_time AS o
  JOIN newest AS d ON d.city = o.city AND d.source = o.source
  WHERE o.pressure IS NOT NULL AND unix_micros(o.timestamp) >= unix_micros(d.day) - 29 * 86400000000
  GROUP BY o.city, o.source, date_trunc('hour', o.timestamp)
)
SELECT city, source, median(pressure) AS pressure_level, cast(sum(n) AS bigint) AS n
FROM hours
GROUP BY city, source
-- Less than a day says little.
HAVING count(*) >= 24
ORDER BY city, source
