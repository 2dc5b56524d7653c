-- Each report, judged for each kind of anomaly against `baseline`: a row a report and kind. Of the silences of an outage the longest
-- stands for it, with the kind `outage`; the others have the status `outage`. docs/anomalies.md has the formulas.

WITH limits_of_kinds AS (
  SELECT t.*, max(CASE WHEN kind = 'spike' THEN alert END) OVER () AS spike_alert
  FROM thresholds AS t
),
found AS (
  SELECT
    m.city,
    m.source,
    m.timestamp,
    m.log_offset,
    m.flag,
    m.micros_next IS NULL AS is_last,
    m.outage,
    m.place_in_outage,
    m.series_of_outage,
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
      WHEN 'silent' THEN m.silence_score
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
      WHEN 'silent' THEN m.is_silence_judged
    END AS is_judged,
    CASE WHEN t.kind = 'unusual' THEN m.mean END AS mean,
    CASE WHEN t.kind = 'unusual' THEN m.stddev END AS stddev
  FROM outages AS m
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
),
-- What stands for an outage, and what it stands for.
told AS (
  SELECT
    *,
    kind = 'silent' AND outage IS NOT NULL AND place_in_outage = 1 AS is_outage,
    kind = 'silent' AND outage IS NOT NULL AND place_in_outage > 1 AS is_of_outage
  FROM rated
)
SELECT
  city,
  source,
  timestamp,
  log_offset,
  CASE WHEN is_outage THEN 'outage' ELSE kind END AS kind,
  variable,
  unit,
  observed,
  expected,
  lower,
  upper,
  score,
  CASE WHEN is_outage THEN 'minutes without a report of most series at once' ELSE method END AS method,
  CASE WHEN is_outage THEN series_of_outage ELSE n END AS n,
  CASE
    WHEN status <> 'anomaly' OR is_of_outage THEN NULL
    WHEN is_outage THEN CASE WHEN is_last THEN 2 ELSE 1 END
    WHEN abs(score) >= severe THEN 3
    WHEN abs(score) >= alert THEN 2
    ELSE 1
  END AS severity,
  CASE WHEN is_of_outage THEN 'outage' ELSE status END AS status,
  flag,
  mean,
  stddev,
  (observed - mean) / nullif(stddev, 0e0) AS z_classic
FROM told
