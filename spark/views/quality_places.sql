-- The limits of single reports of each city and half of the year; where the latitude is not known the widest.

SELECT
  c.city,
  h.half,
  max(c.elevation) AS elevation,
  {{each variable:min(CASE WHEN l.test = 'gross' AND l.variable = '@' THEN l.suspect_low END) AS @_low,
  max(CASE WHEN l.test = 'gross' AND l.variable = '@' THEN l.suspect_high END) AS @_high,
  min(CASE WHEN l.test = 'gross' AND l.variable = '@' THEN l.fail_low END) AS @_fail_low,
  max(CASE WHEN l.test = 'gross' AND l.variable = '@' THEN l.fail_high END) AS @_fail_high,
  }}
  max(CASE WHEN l.test = 'level' THEN l.suspect_high END) AS level_suspect,
  max(CASE WHEN l.test = 'level' THEN l.fail_high END) AS level_fail,
  max(CASE WHEN l.test = 'consistency' AND l.variable = 'dew_point' THEN l.suspect_high END) AS dew_point_suspect,
  max(CASE WHEN l.test = 'consistency' AND l.variable = 'dew_point' THEN l.fail_high END) AS dew_point_fail,
  max(CASE WHEN l.test = 'consistency' AND l.variable = 'wind_gust' THEN l.suspect_high END) AS gust_suspect,
  max(CASE WHEN l.test = 'time' AND l.variable = 'age' THEN l.suspect_high END) * 60e0 AS age_suspect,
  max(CASE WHEN l.test = 'time' AND l.variable = 'age' THEN l.fail_low END) * 60e0 AS age_fail,
  max(CASE WHEN l.test = 'time' AND l.variable = 'history' THEN l.suspect_high END) * 60e0 AS history,
  max(CASE WHEN l.test = 'neighbour' THEN l.suspect_high END) AS neighbour_suspect,
  max(CASE WHEN l.test = 'neighbour' THEN l.fail_high END) AS neighbour_fail
FROM (
  SELECT city, latitude, elevation FROM cities
  UNION ALL
  SELECT '', NULL, NULL
) AS c
CROSS JOIN (VALUES ('oct-mar'), ('apr-sep')) AS h(half)
JOIN limits AS l
  ON l.test IN ('gross', 'level', 'consistency', 'time', 'neighbour')
  AND (
    l.latitude IS NULL
    OR c.latitude IS NULL
    OR l.latitude = CASE WHEN abs(c.latitude) <= 45e0 THEN 'low' ELSE 'high' END
  )
  AND (
    l.season IS NULL
    OR c.latitude IS NULL
    OR l.season = CASE WHEN (c.latitude >= 0e0) = (h.half = 'apr-sep') THEN 'summer' ELSE 'winter' END
  )
GROUP BY c.city, h.half
