-- title: Climate clusters
-- answers: Which cities have a similar climate, and how clear are the groups?
-- schedule: default
-- model: clusters
-- note: k-means on six features, each brought to mean 0 and standard deviation 1: the mean of the daily mean temperatures and their
-- note: standard deviation, the mean range of the day, mean humidity, mean wind, and the share of reports with rain of 0.1 mm or more. A
-- note: day of UTC counts with reports in eight of its hours, and a city with ten days. A feature that half of the cities lack is left out; a
-- note: city that lacks one counts as average in it. Two to eight groups are tried, each from 16 k-means++ seeds that are the same in every
-- note: run, and the number with the largest mean silhouette is taken; `tried` has all of them. Up to 0.25 there is no structure
-- note: (Kaufman and Rousseeuw), and all are one group. Groups are numbered from the coldest on.

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
