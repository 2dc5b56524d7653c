-- title: Daily summary
-- answers: How was each day of each city's own calendar, and on how much of it does that rest?
-- schedule: default
-- chart: range x=date low=temperature_min middle=temperature_mean high=temperature_max series=city
-- window: days
-- note: Days are those of the city's own calendar: its `zone` from midnight to midnight, with 23 hours where the clocks go forward and 25
-- note: where they go back. A city that is not configured has days of UTC. `hours` are those in which something was reported, and
-- note: `coverage` is their share of `hours_of_day`. Means are of the hours of the city's clocks, each of which counts once, with the mean of its sources' means; `n`,
-- note: `n_suspect`, `n_failed` and `n_temperature` count reports, and extremes are of reports. Rain totals of the last hour overlap when they are
-- note: reported more often: the last of each hour counts (of several sources at that time the first by name), in the day in which it was
-- note: reported. The wind's direction is that of the mean vector, with none where that is below 0.1 m/s.
-- parameter: days integer 31 Days back from the newest date; null for all

WITH span AS (
  SELECT
    min(timestamp) - INTERVAL '1' DAY AS first_timestamp,
    max(timestamp) + INTERVAL '1' DAY AS last_timestamp,
    -- Two days more than are shown: dates begin at other times elsewhere.
    max(timestamp) - (cast(:days AS int) + 2) * INTERVAL '1' DAY AS shown_from
  FROM in_time
),
-- What each city's clocks show around the time of the snapshot.
clocks AS (
  SELECT c.city, z.valid_from, z.valid_to, z.offset_minutes
  FROM cities AS c
  JOIN zones AS z ON z.zone = c.zone
  JOIN span ON z.valid_from <= span.last_timestamp AND z.valid_to > span.first_timestamp
),
shifts AS (
  SELECT
    city,
    cast(floor((unix_micros(valid_from) / 6e7 + offset_minutes) / 1440e0) AS int) AS day,
    offset_minutes - lag(offset_minutes) OVER (PARTITION BY city ORDER BY valid_from) AS minutes
  FROM clocks
),
-- Days on which the clocks change; a whole day that is skipped has no length.
changed_days AS (
  SELECT city, day, sum(minutes) / 60e0 AS hours
  FROM shifts
  WHERE abs(minutes) < 1440
  GROUP BY city, day
),
-- Values that fail their tests are left out. A city that is not known has days of UTC.
readings AS (
  SELECT
    q.city,
    q.source,
    coalesce(c.offset_minutes, 0) AS offset_minutes,
    -- Hours of the city's clocks since 1970.
    floor((unix_micros(q.timestamp) / 6e7 + coalesce(c.offset_minutes, 0)) / 60e0) AS hour,
    CASE WHEN q.temperature_flag <> 4 THEN q.temperature END AS temperature,
    CASE WHEN q.humidity_flag <> 4 THEN q.humidity END AS humidity,
    CASE WHEN q.pressure_flag <> 4 THEN q.pressure END AS pressure,
    CASE WHEN q.wind_speed_flag <> 4 THEN q.wind_speed END AS wind_speed,
    CASE WHEN q.wind_gust_flag <> 4 THEN q.wind_gust END AS wind_gust,
    CASE WHEN q.wind_direction_flag <> 4 THEN radians(q.wind_direction) END AS wind_direction,
    q.q_time,
    q.flag
  FROM quality AS q
  JOIN span ON span.shown_from IS NULL OR q.timestamp >= span.shown_from
  LEFT JOIN clocks AS c ON c.city = q.city AND q.timestamp >= c.valid_from AND q.timestamp < c.valid_to
),
-- Hours with the same clocks, so that an hour that is shown twice is two hours: of each source the mean of its reports.
source_hours AS (
  SELECT
    city,
    hour,
    offset_minutes,
    count(CASE WHEN q_time <> 4 THEN 1 END) AS n_in_time,
    count(*) AS n,
    count(CASE WHEN flag = 3 THEN 1 END) AS n_suspect,
    count(CASE WHEN flag = 4 THEN 1 END) AS n_failed,
    count(temperature) AS n_temperature,
    min(temperature) AS temperature_min,
    max(temperature) AS temperature_max,
    avg(temperature) AS temperature,
    avg(humidity) AS humidity,
    avg(pressure) AS pressure,
    avg(wind_speed) AS wind_speed,
    max(wind_speed) AS wind_speed_max,
    max(wind_gust) AS wind_gust_max,
    sum(wind_speed * sin(wind_direction)) / nullif(count(wind_speed), 0) AS east,
    sum(wind_speed * cos(wind_direction)) / nullif(count(wind_speed), 0) AS north
  FROM readings
  GROUP BY city, source, hour, offset_minutes
),
-- Of the city the mean of its sources.
hours AS (
  SELECT
    city,
    cast(floor(hour / 24e0) AS int) AS day,
    max(CASE WHEN n_in_time > 0 THEN 1 END) AS is_reported,
    sum(n) AS n,
    sum(n_suspect) AS n_suspect,
    sum(n_failed) AS n_failed,
    sum(n_temperature) AS n_temperature,
    min(temperature_min) AS temperature_min,
    max(temperature_max) AS temperature_max,
    avg(temperature) AS temperature,
    avg(humidity) AS humidity,
    avg(pressure) AS pressure,
    avg(wind_speed) AS wind_speed,
    max(wind_speed_max) AS wind_speed_max,
    max(wind_gust_max) AS wind_gust_max,
    sum(east) / nullif(count(wind_speed), 0) AS east,
    sum(north) / nullif(count(wind_speed), 0) AS north
  FROM source_hours
  GROUP BY city, hour, offset_minutes
),
days AS (
  SELECT
    city,
    day,
    max(CASE WHEN count(is_reported) > 0 THEN day END) OVER () AS newest_day,
    count(is_reported) AS hours,
    cast(sum(n) AS bigint) AS n,
    cast(sum(n_suspect) AS bigint) AS n_suspect,
    cast(sum(n_failed) AS bigint) AS n_failed,
    cast(sum(n_temperature) AS bigint) AS n_temperature,
    min(temperature_min) AS temperature_min,
    max(temperature_max) AS temperature_max,
    avg(temperature) AS temperature_mean,
    avg(humidity) AS humidity_mean,
    avg(pressure) AS pressure_mean,
    avg(wind_speed) AS wind_speed_mean,
    max(wind_speed_max) AS wind_speed_max,
    max(wind_gust_max) AS wind_gust_max,
    sum(east) / nullif(count(wind_speed), 0) AS east,
    sum(north) / nullif(count(wind_speed), 0) AS north
  FROM hours
  GROUP BY city, day
),
rain AS (
  SELECT
    r.city,
    cast(floor((unix_micros(r.timestamp) / 6e7 + coalesce(c.offset_minutes, 0)) / 1440e0) AS int) AS day,
    sum(r.rainfall) AS total,
    count(*) AS hours
  FROM hourly_rain AS r
  LEFT JOIN clocks AS c ON c.city = r.city AND r.timestamp >= c.valid_from AND r.timestamp < c.valid_to
  GROUP BY r.city, cast(floor((unix_micros(r.timestamp) / 6e7 + coalesce(c.offset_minutes, 0)) / 1440e0) AS int)
)
SELECT
  d.city,
  DATE '1970-01-01' + d.day AS date,
  c.zone,
  24e0 - coalesce(s.hours, 0e0) AS hours_of_day,
  d.hours,
  least(1e0, d.hours / (24e0 - coalesce(s.hours, 0e0))) AS coverage,
  d.n,
  d.n_suspect,
  d.n_failed,
  d.n_temperature,
  d.temperature_min,
  d.temperature_mean,
  d.temperature_max,
  d.humidity_mean,
  d.pressure_mean,
  d.wind_speed_mean,
  d.wind_speed_max,
  d.wind_gust_max,
  -- The mean of the vectors; winds that cancel out have no direction.
  CASE
    WHEN d.east * d.east + d.north * d.north >= 0.01e0 THEN (degrees(atan2(d.east, d.north)) + 360e0) % 360e0
  END AS wind_direction_mean,
  r.total AS rainfall_total,
  coalesce(r.hours, 0) AS rainfall_hours
FROM days AS d
LEFT JOIN rain AS r ON r.city = d.city AND r.day = d.day
LEFT JOIN changed_days AS s ON s.city = d.city AND s.day = d.day
LEFT JOIN cities AS c ON c.city = d.city
-- A day that has not come yet has only reports whose time fails.
WHERE d.day <= d.newest_day
  AND (cast(:days AS int) IS NULL OR d.day > d.newest_day - cast(:days AS int))
ORDER BY d.day, d.city
