-- Reports of different sources of one city within half an hour, brought to the same height: 6.5 °C a km (ICAO standard
-- atmosphere).

WITH reports AS (
  SELECT
    o.city,
    o.source,
    o.timestamp,
    cast(unix_micros(o.timestamp) AS double) / 1e6 AS seconds,
    o.temperature,
    coalesce(s.elevation, p.elevation) AS elevation,
    p.neighbour_suspect,
    p.neighbour_fail
  FROM in_time AS o
  JOIN crowded AS n ON n.city = o.city
  LEFT JOIN cities AS c ON c.city = o.city
  JOIN quality_places AS p
    ON p.city = coalesce(c.city, '')
    AND p.half = CASE WHEN extract(month FROM o.timestamp) BETWEEN 4 AND 9 THEN 'apr-sep' ELSE 'oct-mar' END
    AND o.temperature BETWEEN p.temperature_fail_low AND p.temperature_fail_high
  LEFT JOIN stations AS s
    ON s.city = o.city AND s.source = o.source AND s.valid_from <= o.timestamp AND o.timestamp < s.valid_to
),
-- Every hour that begins within half an hour of a report, or holds it.
slots AS (
  SELECT r.*, floor((r.seconds + b.shift) / 3600e0) AS slot
  FROM reports AS r
  CROSS JOIN (VALUES (-1800e0), (1800e0)) AS b(shift)
),
pairs AS (
  SELECT
    r.city,
    r.source,
    r.timestamp,
    r.temperature,
    s.source AS other,
    s.temperature + coalesce(6.5e-3 * (s.elevation - r.elevation), 0e0) AS other_temperature,
    r.neighbour_suspect,
    r.neighbour_fail
  FROM reports AS r
  JOIN slots AS s
    ON s.city = r.city
    AND s.slot = floor(r.seconds / 3600e0)
    AND s.source <> r.source
    AND abs(s.seconds - r.seconds) <= 1800e0
),
-- Each other source counts once, by the report that comes nearest.
others AS (
  SELECT
    city,
    source,
    timestamp,
    other,
    min(abs(temperature - other_temperature)) AS difference,
    min(other_temperature) AS low,
    max(other_temperature) AS high,
    neighbour_suspect,
    neighbour_fail
  FROM pairs
  GROUP BY city, source, timestamp, other, neighbour_suspect, neighbour_fail
)
-- Of two sources nobody knows which is wrong: both are suspect. Of more, one fails that differs from most of all, where
-- those agree with each other.
SELECT
  city,
  source,
  timestamp,
  CASE
    WHEN 2 * count_if(difference > neighbour_suspect) < count(*) + 1 THEN 1
    WHEN 2 * count_if(difference > neighbour_fail) > count(*) + 1
      AND max(CASE WHEN difference > neighbour_fail THEN high END)
        - min(CASE WHEN difference > neighbour_fail THEN low END) <= max(neighbour_suspect)
    THEN 4
    ELSE 3
  END AS neighbour
FROM others
GROUP BY city, source, timestamp
