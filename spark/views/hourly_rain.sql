-- The rain of each city and hour, mm. Totals of the last hour overlap when they are reported more often, so that the last
-- one of an hour counts, of several at the same time that of the first source by name. Totals that fail are left out.

WITH sources AS (
  SELECT source, row_number() OVER (ORDER BY source) AS place
  FROM (SELECT DISTINCT source FROM observations) AS named
)
SELECT
  q.city,
  date_trunc('hour', q.timestamp) AS hour,
  max(q.timestamp) AS timestamp,
  max_by(q.rainfall, unix_micros(q.timestamp) * 1000 - s.place) AS rainfall
FROM quality AS q
JOIN sources AS s ON s.source = q.source
WHERE q.rainfall IS NOT NULL AND q.rainfall_flag <> 4
GROUP BY q.city, date_trunc('hour', q.timestamp)
