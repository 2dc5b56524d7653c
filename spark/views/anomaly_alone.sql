-- Each report, judged by its own series for each kind of anomaly against `baseline`: a row a report and kind. What the newest
-- day needs of the past lies within it. docs/anomalies.md has the formulas. Each step reads the one before once: Spark computes
-- anew what is read twice.

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
),
limits_of_kinds AS (
  SELECT t.*, max(CASE WHEN kind = 'spike' THEN alert END) OVER () AS spike_alert
  FROM thresholds AS t
),
found AS (
  SELECT
    m.city,
    m.source,
    m.timestamp,
    m.micros,
    m.log_offset,
    m.flag,
    m.report = 1 AS is_first,
    m.micros_next IS NULL AS is_last,
    m.q_time = 2 AS is_history,
    t.kind,
    t.shown,
    t.alert,
    t.severe,
    CASE t.kind WHEN 'silent' THEN 'interval' ELSE 'temperature' END AS variable,
    CASE t.kind WHEN 'silent' THEN 'min' WHEN 'stuck' THEN 'h' ELSE '°C' END AS unit,
    CASE t.kind WHEN 'silent' THEN m.silence WHEN 'stuck' THEN m.unchanged ELSE m.temperature END AS observed,
    CASE t.kind
      WHEN 'spike' THEN m.expected + (m.rest + m.departure_after / m.left_after) / 2e0
      WHEN 'step' THEN m.expected + m.rest
      WHEN 'unusual' THEN m.expected
      WHEN 'silent' THEN m.pace
    END AS expected,
    CASE t.kind
      WHEN 'spike'
        THEN m.expected
          + least(m.rest - t.shown * m.step_scale, (m.departure_after - t.shown * m.scale_after) / m.left_after)
      WHEN 'step' THEN m.expected + m.rest - t.shown * m.step_scale
      WHEN 'unusual' THEN m.expected - t.shown * m.spread
    END AS lower,
    CASE t.kind
      WHEN 'spike'
        THEN m.expected
          + greatest(m.rest + t.shown * m.step_scale, (m.departure_after + t.shown * m.scale_after) / m.left_after)
      WHEN 'step' THEN m.expected + m.rest + t.shown * m.step_scale
      WHEN 'unusual' THEN m.expected + t.shown * m.spread
      WHEN 'stuck' THEN t.shown
      WHEN 'silent' THEN t.shown * m.pace
    END AS upper,
    CASE t.kind
      WHEN 'spike' THEN m.spike
      -- The steps to a spike and back are the spike's.
      WHEN 'step' THEN CASE WHEN greatest(m.spike, m.spike_before) >= t.spike_alert THEN 0e0 ELSE m.step END
      WHEN 'unusual' THEN m.departure / nullif(m.spread, 0e0)
      -- Hours between few reports say nothing.
      WHEN 'stuck' THEN CASE WHEN m.unchanged_reports >= t.samples THEN m.unchanged ELSE 0e0 END
      WHEN 'silent' THEN m.silence / m.pace
    END AS score,
    CASE t.kind
      WHEN 'spike' THEN 'two opposite steps, in usual steps of the hour'
      WHEN 'step' THEN 'step of what departs from usual, in usual steps of the hour'
      WHEN 'unusual' THEN 'robust z by hour of day and season'
      WHEN 'stuck' THEN 'hours without a change'
      WHEN 'silent' THEN 'minutes without a report, in usual intervals'
    END AS method,
    cast(
      coalesce(
        CASE t.kind
          WHEN 'unusual' THEN m.n
          WHEN 'stuck' THEN m.unchanged_reports
          WHEN 'silent' THEN m.intervals
          ELSE m.steps
        END,
        0
      ) AS bigint
    ) AS n,
    CASE t.kind
      WHEN 'spike' THEN m.steps >= t.samples AND m.step IS NOT NULL AND m.step_after IS NOT NULL
      WHEN 'step' THEN m.steps >= t.samples AND m.step IS NOT NULL
      WHEN 'unusual' THEN m.days >= t.samples
      WHEN 'stuck' THEN m.place >= t.samples
      -- What came as history ends where it ends.
      WHEN 'silent' THEN m.report > 3 AND m.intervals >= t.samples AND (m.micros_next IS NOT NULL OR m.q_time <> 2)
    END AS is_judged,
    CASE WHEN t.kind = 'unusual' THEN m.mean END AS mean,
    CASE WHEN t.kind = 'unusual' THEN m.stddev END AS stddev
  FROM measured AS m
  JOIN limits_of_kinds AS t
    ON t.kind = 'silent' OR (m.temperature IS NOT NULL AND (t.kind <> 'spike' OR m.micros_after IS NOT NULL))
),
rated AS (
  SELECT
    *,
    CASE
      WHEN NOT coalesce(is_judged, false) OR score IS NULL THEN 'insufficient data'
      WHEN abs(score) >= shown THEN 'anomaly'
      ELSE 'normal'
    END AS status
  FROM found
)
SELECT
  city,
  source,
  timestamp,
  micros,
  log_offset,
  is_first,
  is_last,
  is_history,
  -- Half of what is shown: where one series has been silent for long enough, the others of an outage soon will be.
  kind = 'silent' AND status <> 'insufficient data' AND score >= shown / 2e0 AS is_gap,
  kind,
  variable,
  unit,
  observed,
  expected,
  lower,
  upper,
  score,
  method,
  n,
  CASE
    WHEN status <> 'anomaly' THEN NULL
    WHEN abs(score) >= severe THEN 3
    WHEN abs(score) >= alert THEN 2
    ELSE 1
  END AS severity,
  status,
  flag,
  mean,
  stddev,
  (observed - mean) / nullif(stddev, 0e0) AS z_classic
FROM rated
