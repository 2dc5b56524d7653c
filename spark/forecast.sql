-- title: Temperature forecast
-- answers: How warm will it be in each city over the next 48 hours, and how sure is that?
-- schedule: default
-- chart: band x=timestamp y=temperature low=lower high=upper series=city
-- model: forecast
-- window: days
-- keeps: every 12th of 600
-- note: [forecast.md](forecast.md) has the method, and the interval's.
-- parameter: days integer 60 Days of history back from the newest observation; null for all

-- This is the history; the fit, made anew each hour and iterated over 48 leads, is no SQL: spark/models/forecast.ts.
WITH newest AS (
  SELECT max(timestamp) AS timestamp FROM in_time
),
-- An observation counts for the full hour it is up to 15 minutes before or 44 after: routine reports come at minute 50.
usable AS (
  SELECT
    q.city,
    q.source,
    q.timestamp,
    q.temperature,
    date_trunc('hour', q.timestamp + INTERVAL '15' MINUTE) AS hour,
    extract(minute FROM q.timestamp) AS minute
  FROM quality AS q
  CROSS JOIN newest
  WHERE q.temperature_flag < 4
    AND (
      cast(:days AS int) IS NULL
      OR q.timestamp > newest.timestamp - cast(:days AS int) * INTERVAL '1' DAY
    )
),
ranked AS (
  SELECT
    city,
    source,
    hour,
    temperature,
    row_number() OVER (
      PARTITION BY city, source, hour
      ORDER BY CASE WHEN minute >= 45 THEN 60 - minute ELSE minute END, timestamp
    ) AS place
  FROM usable
),
-- Of each hour the observation nearest to it: a forecast for 15:00 is then verified with the observation of 15:00.
hourly AS (
  SELECT city, source, hour, temperature FROM ranked WHERE place = 1
),
records AS (
  SELECT city, source, count(*) AS hours, min(hour) AS first_hour, max(hour) AS last_hour
  FROM hourly
  GROUP BY city, source
),
city_records AS (
  SELECT
    city,
    source,
    hours,
    first_hour,
    last_hour,
    max(last_hour) OVER (PARTITION BY city) AS city_last_hour
  FROM records
),
-- One source a city, since two that differ by a degree would make steps: of those that still report the longest record.
reporting AS (
  SELECT
    city,
    source,
    first_hour,
    row_number() OVER (PARTITION BY city ORDER BY hours DESC, source) AS place
  FROM city_records
  WHERE last_hour >= city_last_hour - INTERVAL '6' HOUR
),
chosen AS (
  SELECT city, source, first_hour FROM reporting WHERE place = 1
),
-- What was before its first hour comes from another, so that an archive gives a new source a past.
earlier AS (
  SELECT
    r.city,
    r.source,
    row_number() OVER (PARTITION BY r.city ORDER BY r.hours DESC, r.source) AS place
  FROM records AS r
  JOIN chosen AS c ON c.city = r.city AND c.source <> r.source AND c.first_hour > r.first_hour
)
SELECT h.city, h.source, h.hour, h.temperature
FROM hourly AS h
JOIN chosen AS c ON c.city = h.city
LEFT JOIN earlier AS e ON e.city = h.city AND e.source = h.source AND e.place = 1
WHERE h.source = c.source OR (e.source IS NOT NULL AND h.hour < c.first_hour)
ORDER BY h.city, h.hour
