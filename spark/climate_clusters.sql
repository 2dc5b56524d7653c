-- title: Climate clusters
-- answers: Which cities have a similar climate, and how clear are the groups?
-- schedule: default
-- model: clusters

-- Days of UTC; values that fail their tests are left out.
WITH daily AS (
  SELECT
    city,
    bit_count(bit_or(
      CASE WHEN temperature_flag IN (4, 9) THEN 0 ELSE cast(power(2e0, extract(hour FROM timestamp)) AS int) END
    )) AS hours,
    avg(CASE WHEN temperature_flag <> 4 THEN temperature END) AS temperature,
    max(CASE WHEN temperature_flag <> 4 THEN temperature END)
      - min(CASE WHEN temperature_flag <> 4 THEN temperature END) AS temperature_range,
    avg(CASE WHEN humidity_flag <> 4 THEN humidity END) AS humidity,
    avg(CASE WHEN wind_speed_flag <> 4 THEN wind_speed END) AS wind_speed,
    avg(CASE WHEN rainfall_flag <> 4 THEN CASE WHEN rainfall >= 0.1e0 THEN 1e0 WHEN rainfall < 0.1e0 THEN 0e0 END END)
      AS wet
  FROM quality
  GROUP BY city, date_trunc('day', timestamp)
)
-- A day counts with a third of its hours.
SELECT
  city,
  count(*) FILTER (WHERE hours >= 8) AS days,
  avg(temperature) FILTER (WHERE hours >= 8) AS temperature_mean,
  -- From day to day: season and weather.
  stddev_samp(temperature) FILTER (WHERE hours >= 8) AS temperature_spread,
  avg(temperature_range) FILTER (WHERE hours >= 8) AS temperature_day_range,
  avg(humidity) FILTER (WHERE hours >= 8) AS humidity_mean,
  avg(wind_speed) FILTER (WHERE hours >= 8) AS wind_speed_mean,
  avg(wet) FILTER (WHERE hours >= 8) AS wet_share
FROM daily
GROUP BY city
ORDER BY city
