-- Each report of the newest 30 days beside what is usual and beside its neighbours: how far it departs, steps and sticks out, how
-- long it stands still, and how long no other follows. docs/anomalies.md has the formulas. Each step reads the one before once:
-- Spark computes anew what is read twice.

WITH recent AS (
  SELECT q.city, q.source, q.timestamp, q.log_offset, q.temperature, q.flag, q.q_time, w.newest
  FROM quality AS q
  CROSS JOIN watermark AS w
  -- A baseline says nothing of another season, and a station that is silent for so long is given up.
  WHERE unix_micros(q.timestamp) > unix_micros(w.newest) - 30 * 86400000000
    -- A time that fails is none.
    AND q.q_time <> 4
),
placed AS (
  SELECT
    r.*,
    unix_micros(r.timestamp) AS micros,
    cast(extract(hour FROM r.timestamp) AS int) AS hour_of_day,
    cast(unix_micros(r.timestamp) % 3600000000 AS double) / 3600e6 AS part,
    s.valid_from
  FROM recent AS r
  LEFT JOIN stations AS s
    ON s.city = r.city AND s.source = r.source AND s.valid_from <= r.timestamp AND r.timestamp < s.valid_to
),
usual AS (
  SELECT b.*, s.valid_from
  FROM baseline AS b
  LEFT JOIN stations AS s
    ON s.city = b.city AND s.source = b.source AND s.valid_from <= b.first_timestamp AND b.first_timestamp < s.valid_to
),
-- A baseline of another place or sensor is none.
levels AS (
  SELECT
    p.*,
    u.n,
    u.days,
    u.mean,
    u.stddev,
    u.spread,
    u.step_spread,
    u.steps AS steps_here,
    u.interval_minutes AS interval_here,
    u.intervals AS intervals_here,
    u.median + (p.part - u.part) * CASE WHEN p.part < u.part THEN u.slope_before ELSE u.slope_after END AS expected
  FROM placed AS p
  LEFT JOIN usual AS u
    ON u.city = p.city
    AND u.source = p.source
    AND u.hour_of_day = p.hour_of_day
    AND u.valid_from IS NOT DISTINCT FROM p.valid_from
),
-- What is known of the series stands in each of its hours.
before AS (
  SELECT
    *,
    max(steps_here) OVER (PARTITION BY city, source, valid_from, temperature IS NULL) AS steps,
    max(interval_here) OVER (PARTITION BY city, source, valid_from, temperature IS NULL) AS interval_minutes,
    max(intervals_here) OVER (PARTITION BY city, source, valid_from, temperature IS NULL) AS intervals,
    temperature - expected AS departure,
    lag(temperature - expected) OVER warm AS departure_before,
    cast(micros - lag(micros) OVER warm AS double) / 3600e6 AS hours,
    lead(micros) OVER heard AS micros_next,
    row_number() OVER heard AS report,
    cast(micros - lag(micros) OVER heard AS double) / 60e6 AS interval_1,
    cast(lag(micros) OVER heard - lag(micros, 2) OVER heard AS double) / 60e6 AS interval_2,
    cast(lag(micros, 2) OVER heard - lag(micros, 3) OVER heard AS double) / 60e6 AS interval_3,
    row_number() OVER warm AS place,
    CASE WHEN temperature = lag(temperature) OVER warm THEN 0 ELSE 1 END AS is_change
  FROM levels
  WINDOW
    warm AS (PARTITION BY city, source, valid_from, temperature IS NULL ORDER BY micros),
    heard AS (PARTITION BY city, source ORDER BY micros)
),
-- A step is the departure without what is left of the one before. After a gap it may be larger.
scaled AS (
  SELECT
    b.*,
    power(f.left_per_hour, b.hours) AS left_over,
    CASE
      WHEN b.hours <= f.longest_step
        THEN b.step_spread * sqrt(greatest(1e0, b.hours * 60e0 / nullif(b.interval_minutes, 0e0)))
    END AS step_scale
  FROM before AS b
  CROSS JOIN fading AS f
),
stepped AS (
  SELECT
    *,
    (departure - left_over * departure_before) / nullif(step_scale, 0e0) AS step,
    max(CASE WHEN is_change = 1 THEN micros END) OVER past AS run_micros,
    max(CASE WHEN is_change = 1 THEN place END) OVER past AS run_place
  FROM scaled
  WINDOW past AS (
    PARTITION BY city, source, valid_from, temperature IS NULL
    ORDER BY micros
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
  )
),
neighbours AS (
  SELECT
    *,
    lag(step) OVER warm AS step_before,
    lead(step) OVER warm AS step_after,
    lead(departure) OVER warm AS departure_after,
    lead(left_over) OVER warm AS left_after,
    lead(step_scale) OVER warm AS scale_after,
    lead(micros) OVER warm AS micros_after
  FROM stepped
  WINDOW warm AS (PARTITION BY city, source, valid_from, temperature IS NULL ORDER BY micros)
),
-- There and back: of two steps in opposite directions the smaller one counts.
measured AS (
  SELECT
    *,
    CASE WHEN step * step_before < 0e0 THEN least(abs(step), abs(step_before)) ELSE 0e0 END AS spike_before,
    CASE WHEN step * step_after < 0e0 THEN least(abs(step), abs(step_after)) ELSE 0e0 END AS spike,
    left_over * departure_before AS rest,
    cast(micros - run_micros AS double) / 3600e6 AS unchanged,
    place - run_place + 1 AS unchanged_reports,
    cast(coalesce(micros_next, unix_micros(newest)) - micros AS double) / 60e6 AS silence,
    -- A series changes its pace. A gap is measured by the usual interval or by the middle one of the three before it, whichever is
    -- longer, and by no less than a minute.
    greatest(
      1e0,
      interval_minutes,
      CASE
        WHEN report > 3
          THEN greatest(least(interval_1, interval_2), least(greatest(interval_1, interval_2), interval_3))
      END
    ) AS pace
  FROM neighbours
)
SELECT
  m.*,
  m.report > 3 AND m.intervals >= t.samples AND (m.micros_next IS NOT NULL OR m.q_time <> 2) AS is_silence_judged,
  m.silence / m.pace AS silence_score,
  t.shown AS silence_shown
FROM measured AS m
JOIN thresholds AS t ON t.kind = 'silent'
