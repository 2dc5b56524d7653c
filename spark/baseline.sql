-- title: Usual temperatures
-- answers: Which temperature is usual for each place, season and hour of the day, how far do values depart from it and from one report to the next, and how often does a report come?
-- schedule: default
-- chart: band x=hour_of_day y=median low=lower high=upper series=city
-- note: The baseline that anomalies are compared with: [anomalies.md](anomalies.md).

-- As of the newest report of each series. A new place or sensor begins anew; any other series takes what was before its first report
-- from the source of its city that began first, so that an archive gives a new source a past. docs/anomalies.md has the formulas.
-- Each step reads the one before once: Spark computes anew what is read twice.
WITH series AS (
  SELECT
    city,
    source,
    max(unix_micros(timestamp)) AS newest,
    min(unix_micros(timestamp)) AS oldest
  FROM in_time
  GROUP BY city, source
),
bounds AS (
  SELECT
    n.*,
    unix_micros(s.valid_from) AS moved,
    CASE WHEN s.valid_from IS NULL THEN first_value(n.source) OVER (PARTITION BY n.city ORDER BY n.oldest, n.source) END
      AS lender
  FROM series AS n
  LEFT JOIN stations AS s
    ON s.city = n.city
    AND s.source = n.source
    AND unix_micros(s.valid_from) <= n.newest
    AND n.newest < unix_micros(s.valid_to)
),
dated AS (
  SELECT
    b.city,
    b.source,
    q.source = b.source AS is_own,
    q.timestamp,
    unix_micros(q.timestamp) AS micros,
    cast(extract(hour FROM q.timestamp) AS int) AS hour_of_day,
    date_trunc('day', q.timestamp) AS day,
    CASE WHEN q.temperature_flag <> 4 THEN q.temperature END AS temperature,
    cast(b.newest - unix_micros(q.timestamp) AS double) / 86400e6 AS age
  FROM quality AS q
  JOIN bounds AS b
    ON b.city = q.city
    AND CASE
      WHEN q.source = b.source THEN b.moved IS NULL OR unix_micros(q.timestamp) >= b.moved
      ELSE q.source = b.lender AND unix_micros(q.timestamp) < b.oldest
    END
    AND q.q_time <> 4
),
-- The season: the last 30 days, and of earlier years the 15 days before and after this day.
season AS (
  SELECT
    *,
    CASE WHEN temperature IS NOT NULL THEN cast(micros % 3600000000 AS double) / 3600e6 END AS part,
    CASE
      WHEN age < 7e0 AND is_own
        THEN cast(micros - lag(micros) OVER (PARTITION BY city, source, is_own ORDER BY micros) AS double) / 60e6
    END AS minutes
  FROM dated
  WHERE age < 30e0
    OR (age > 345e0 AND age + 15e0 - 365.25e0 * floor((age + 15e0) / 365.25e0) < 30e0)
),
-- Each hour by the mean of its reports, so that what is usual is of time and not of reports; and the series as a whole: there
-- hour_of_day is NULL.
hours AS (
  SELECT
    city,
    source,
    hour_of_day,
    count(temperature) AS n,
    avg(temperature) AS temperature,
    -- Where in the hour its reports lie, on average: 0 on the hour.
    avg(part) AS part,
    median(minutes) AS interval_minutes,
    count(minutes) AS intervals
  FROM season
  GROUP BY GROUPING SETS ((city, source, hour_of_day, day), (city, source))
),
totals AS (
  SELECT
    city,
    source,
    hour_of_day,
    cast(sum(n) AS bigint) AS n,
    count(temperature) AS days,
    median(temperature) AS median,
    avg(temperature) AS mean,
    stddev_samp(temperature) AS stddev,
    avg(part) AS hour_part,
    max(interval_minutes) AS interval_minutes,
    max(intervals) AS intervals
  FROM hours
  GROUP BY city, source, hour_of_day
),
-- Beside each hour the one before and the one after that have values, around midnight as well.
neighbours AS (
  SELECT
    city,
    source,
    hour_of_day,
    n,
    days,
    median,
    mean,
    stddev,
    hour_part,
    max(CASE WHEN hour_of_day IS NULL THEN interval_minutes END) OVER series AS interval_minutes,
    max(CASE WHEN hour_of_day IS NULL THEN intervals END) OVER series AS intervals,
    coalesce(lag(hour_of_day) OVER hourly, max(hour_of_day) OVER series) AS hour_before,
    coalesce(lag(median) OVER hourly, max(CASE WHEN hour_of_day = 23 THEN median END) OVER series) AS median_before,
    coalesce(lag(hour_part) OVER hourly, max(CASE WHEN hour_of_day = 23 THEN hour_part END) OVER series)
      AS part_before,
    coalesce(lead(hour_of_day) OVER hourly, min(hour_of_day) OVER series) AS hour_after,
    coalesce(lead(median) OVER hourly, max(CASE WHEN hour_of_day = 0 THEN median END) OVER series) AS median_after,
    coalesce(lead(hour_part) OVER hourly, max(CASE WHEN hour_of_day = 0 THEN hour_part END) OVER series)
      AS part_after
  FROM totals
  WINDOW
    series AS (PARTITION BY city, source),
    hourly AS (PARTITION BY city, source, hour_of_day IS NULL OR n = 0 ORDER BY hour_of_day)
),
-- Between the hours the usual temperature runs straight: reports of every ten minutes have no jump on the hour.
curve AS (
  SELECT
    *,
    CASE
      WHEN (hour_before + 1) % 24 = hour_of_day AND median_before IS NOT NULL
        THEN (median - median_before) / nullif(hour_part + 1e0 - part_before, 0e0)
      ELSE 0e0
    END AS slope_before,
    CASE
      WHEN hour_after = (hour_of_day + 1) % 24 AND median_after IS NOT NULL
        THEN (median_after - median) / nullif(part_after + 1e0 - hour_part, 0e0)
      ELSE 0e0
    END AS slope_after
  FROM neighbours
  WHERE hour_of_day IS NOT NULL
),
departures AS (
  SELECT
    c.*,
    s.day,
    s.timestamp,
    s.micros,
    s.temperature,
    s.temperature - c.median
      - (s.part - c.hour_part) * CASE WHEN s.part < c.hour_part THEN c.slope_before ELSE c.slope_after END
      AS departure
  FROM season AS s
  JOIN curve AS c ON c.city = s.city AND c.source = s.source AND c.hour_of_day = s.hour_of_day
),
before AS (
  SELECT
    *,
    lag(departure) OVER good AS departure_before,
    cast(micros - lag(micros) OVER good AS double) / 3600e6 AS hours
  FROM departures
  WINDOW good AS (PARTITION BY city, source, temperature IS NULL ORDER BY micros)
),
-- A step is the departure without what is left of the one before.
steps AS (
  SELECT
    b.*,
    CASE WHEN b.hours <= f.longest_step THEN b.departure - power(f.left_per_hour, b.hours) * b.departure_before END
      AS step
  FROM before AS b
  CROSS JOIN fading AS f
),
-- Of each hour the mean departure and the mean size of its steps.
hourly_steps AS (
  SELECT
    city,
    source,
    hour_of_day,
    max(n) AS n,
    max(days) AS days,
    max(median) AS median,
    max(mean) AS mean,
    max(stddev) AS stddev,
    max(hour_part) AS hour_part,
    max(slope_before) AS slope_before,
    max(slope_after) AS slope_after,
    max(interval_minutes) AS interval_minutes,
    max(intervals) AS intervals,
    abs(avg(departure)) AS departure_size,
    avg(abs(step)) AS step_size,
    count(step) AS steps,
    min(CASE WHEN temperature IS NOT NULL THEN timestamp END) AS first_timestamp,
    max(CASE WHEN temperature IS NOT NULL THEN timestamp END) AS last_timestamp
  FROM steps
  GROUP BY city, source, hour_of_day, day
),
-- Spreads are of the hour itself and its neighbours, so that 30 days give 90 values.
spreads AS (
  SELECT
    s.city,
    s.source,
    (s.hour_of_day + near.shift) % 24 AS hour_of_day,
    max(CASE WHEN near.shift = 0 THEN s.n END) AS n,
    max(CASE WHEN near.shift = 0 THEN s.days END) AS days,
    max(CASE WHEN near.shift = 0 THEN s.median END) AS median,
    max(CASE WHEN near.shift = 0 THEN s.mean END) AS mean,
    max(CASE WHEN near.shift = 0 THEN s.stddev END) AS stddev,
    max(CASE WHEN near.shift = 0 THEN s.hour_part END) AS part,
    max(CASE WHEN near.shift = 0 THEN s.slope_before END) AS slope_before,
    max(CASE WHEN near.shift = 0 THEN s.slope_after END) AS slope_after,
    max(s.interval_minutes) AS interval_minutes,
    max(s.intervals) AS intervals,
    1.4826e0 * median(s.departure_size) AS departure_size,
    -- Steps of weather have a long tail: one in ten must not look like many sigmas.
    greatest(
      1.4826e0 * median(s.step_size),
      percentile_cont(0.9e0) WITHIN GROUP (ORDER BY s.step_size) / 1.6449e0
    ) AS step_size,
    sum(CASE WHEN near.shift = 0 THEN s.steps END) AS steps,
    min(s.first_timestamp) AS first_timestamp,
    max(s.last_timestamp) AS last_timestamp
  FROM hourly_steps AS s
  CROSS JOIN (VALUES (0), (1), (23)) AS near(shift)
  GROUP BY s.city, s.source, (s.hour_of_day + near.shift) % 24
),
bounds_of_kinds AS (
  SELECT
    max(CASE WHEN kind = 'unusual' THEN shown END) AS unusual_shown,
    max(CASE WHEN kind = 'unusual' THEN floor END) AS spread_floor,
    max(CASE WHEN kind = 'step' THEN floor END) AS step_floor
  FROM thresholds
),
usual AS (
  SELECT
    *,
    CASE WHEN departure_size IS NOT NULL THEN greatest(departure_size, spread_floor) END AS spread,
    CASE WHEN departure_size IS NOT NULL THEN greatest(step_size, step_floor) END AS step_spread
  FROM spreads
  CROSS JOIN bounds_of_kinds
)
SELECT
  city,
  source,
  hour_of_day,
  n,
  days,
  median,
  spread,
  median - unusual_shown * spread AS lower,
  median + unusual_shown * spread AS upper,
  mean,
  stddev,
  part,
  slope_before,
  slope_after,
  step_spread,
  cast(sum(steps) OVER series AS bigint) AS steps,
  interval_minutes,
  intervals,
  min(first_timestamp) OVER series AS first_timestamp,
  max(last_timestamp) OVER series AS last_timestamp
FROM usual
WHERE n IS NOT NULL
WINDOW series AS (PARTITION BY city, source)
ORDER BY city, source, hour_of_day
