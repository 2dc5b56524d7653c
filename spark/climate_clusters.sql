-- title: Climate clusters
-- answers: Which cities have a similar climate, and how clear are the groups?
-- schedule: default
-- model: clusters
-- note: k-means on six features, each brought to mean 0 and standard deviation 1: the mean of the daily mean temperatures and their
-- note: standard deviation, the mean range of the day, mean humidity, mean wind, and the share of time with rain of 0.1 mm or more in the hour before. A
-- note: day of UTC counts with reports in eight of its hours, and a city with ten days. A feature that half of the cities lack is left out; a
-- note: city that lacks one counts as average in it. Two to eight groups are tried, each from 16 k-means++ seeds that are the same in every
-- note: run, and the number with the largest mean silhouette is taken; `tried` has all of them. Up to 0.25 there is no structure
-- note: (Kaufman and Rousseeuw), and all are one group. Groups are numbered from the coldest on.

-- Days of UTC, of whose hours each counts once.
WITH daily AS (
  SELECT
    city,
    count(temperature) AS hours,
    avg(temperature) AS temperature,
    max(temperature_max) - min(temperature_min) AS temperature_range,
    avg(humidity) AS humidity,
    avg(wind_speed) AS wind_speed,
    avg(wet) AS wet
  FROM city_hours
  GROUP BY city, date_trunc('day', hour)
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
