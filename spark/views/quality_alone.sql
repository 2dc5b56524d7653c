-- Each report with what it shows by itself: the tests of quality control that look at no other report of its series. Here a test
-- that was not evaluated is NULL, which greatest() passes over.

WITH compared AS (
  SELECT o.*, cast(NULL AS int) AS neighbour
  FROM observations AS o
  LEFT JOIN crowded AS n ON n.city = o.city
  WHERE n.city IS NULL
  UNION ALL
  SELECT o.*, b.neighbour
  FROM observations AS o
  JOIN crowded AS n ON n.city = o.city
  LEFT JOIN neighbours AS b ON b.city = o.city AND b.source = o.source AND b.timestamp = o.timestamp
),
timed AS (
  SELECT
    o.*,
    coalesce(c.city, '') AS place,
    CASE WHEN extract(month FROM o.timestamp) BETWEEN 4 AND 9 THEN 'apr-sep' ELSE 'oct-mar' END AS half,
    cast(unix_micros(o.timestamp) AS double) / 1e6 AS seconds,
    cast(unix_micros(o.ingested_at) AS double) / 1e6 AS ingested_seconds
  FROM compared AS o
  LEFT JOIN cities AS c ON c.city = o.city
),
-- What a report shows by itself.
alone AS (
  SELECT
    o.*,
    {{each variable:CASE
      WHEN o.@ BETWEEN p.@_low AND p.@_high THEN 1
      WHEN o.@ BETWEEN p.@_fail_low AND p.@_fail_high THEN 3
      WHEN o.@ IS NOT NULL OR o.impossible LIKE '%"@":"%' THEN 4
    END AS gross_@,
    }}
    CASE
      WHEN abs(o.pressure - v.pressure_level) <= p.level_suspect THEN 1
      WHEN abs(o.pressure - v.pressure_level) <= p.level_fail THEN 3
      WHEN abs(o.pressure - v.pressure_level) > p.level_fail THEN 4
    END AS off_level,
    v.pressure_level,
    p.dew_point_suspect,
    p.dew_point_fail,
    p.gust_suspect,
    CASE
      WHEN o.ingested_seconds - o.seconds > p.history THEN NULL
      WHEN o.ingested_seconds - o.seconds < p.age_fail THEN 4
      WHEN o.ingested_seconds - o.seconds > p.age_suspect THEN 3
      ELSE 1
    END AS arrival
  FROM timed AS o
  JOIN quality_places AS p ON p.city = o.place AND p.half = o.half
  LEFT JOIN levels AS v ON v.city = o.city AND v.source = o.source AND v.day = date_trunc('day', o.timestamp)
),
-- What contradicts what within a report. An extreme that fails contradicts nothing: it is known which of them is wrong.
consistent AS (
  SELECT
    *,
    CASE
      WHEN gross_dew_point = 4 OR gross_temperature = 4 THEN NULL
      WHEN dew_point - temperature <= dew_point_suspect THEN 1
      WHEN dew_point - temperature <= dew_point_fail THEN 3
      WHEN dew_point - temperature > dew_point_fail THEN 4
    END AS dew_point_above,
    CASE
      WHEN gross_wind_gust = 4 OR gross_wind_speed = 4 THEN NULL
      WHEN wind_gust < wind_speed THEN 3
      WHEN wind_gust >= wind_speed THEN 1
    END AS gust_below,
    CASE
      WHEN gross_wind_gust = 4 OR gross_wind_speed = 4 THEN NULL
      WHEN wind_gust - wind_speed > gust_suspect THEN 3
    END AS gust_far_above,
    CASE
      WHEN rainfall > 0e0 AND weather_main = 'Clear' THEN 3
      WHEN rainfall IS NOT NULL AND weather_main IS NOT NULL THEN 1
    END AS rain_flag
  FROM alone
)
-- The worst of it for each variable. Of temperature and dew point nobody knows which is wrong: both and humidity
-- are suspect, whatever the record is. A late report is as good as another, but no value from the future has a time.
SELECT
  *,
  greatest(gross_temperature, neighbour, moisture, future) AS own_temperature,
  greatest(gross_humidity, moisture, future) AS own_humidity,
  greatest(gross_pressure, future) AS own_pressure,
  greatest(gross_wind_speed, gust_below, future) AS own_wind_speed,
  greatest(gross_rainfall, rain_flag, future) AS own_rainfall,
  greatest(gross_dew_point, moisture, future) AS own_dew_point,
  greatest(gross_wind_gust, gust_below, gust_far_above, future) AS own_wind_gust,
  {{each gross alone:greatest(gross_@, future) AS own_@, }}
  greatest({{each gross alone:gross_@, }}
    gross_temperature, gross_humidity, gross_pressure, gross_wind_speed, gross_rainfall, gross_dew_point, gross_wind_gust
  ) AS gross,
  greatest(dew_point_above, gust_below, gust_far_above, rain_flag) AS consistency,
  greatest(
    {{each variable:gross_@, }}
    dew_point_above, gust_below, gust_far_above, rain_flag, arrival, neighbour
  ) AS own_flag
FROM (
  SELECT
    *,
    CASE WHEN dew_point_above > 1 THEN 3 END AS moisture,
    CASE WHEN arrival = 4 THEN 4 END AS future,
    coalesce(arrival = 4, false) AS is_ahead
  FROM consistent
) AS a
