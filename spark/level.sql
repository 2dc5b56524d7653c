-- title: Pressure levels
-- answers: Which pressure is usual of each series? A report far from it gives the pressure at the station's height in place of the sea's.
-- schedule: default
-- note: The level that quality control compares pressures with: [quality.md](quality.md).

SELECT city, source, median(pressure) AS pressure_level, count(*) AS n
FROM in_time
WHERE pressure IS NOT NULL
GROUP BY city, source
-- Fewer than a day's reports say little.
HAVING count(*) >= 24
ORDER BY city, source
