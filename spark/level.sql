-- title: Pressure levels
-- answers: Which pressure is usual of each series? A report far from it gives the pressure at the station's height in place of the sea's.
-- schedule: default
-- note: The level that quality control compares pressures with: [quality.md](quality.md).

-- Of time and not of reports: each hour counts once. Its median and not its mean, which one wrong pressure would move.
WITH hours AS (
  SELECT city, source, median(pressure) AS pressure, count(*) AS n
  FROM in_time
  WHERE pressure IS NOT NULL
  GROUP BY city, source, date_trunc('hour', timestamp)
)
SELECT city, source, median(pressure) AS pressure_level, cast(sum(n) AS bigint) AS n
FROM hours
GROUP BY city, source
-- Less than a day says little.
HAVING count(*) >= 24
ORDER BY city, source
