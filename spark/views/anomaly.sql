-- Each report, judged for each kind of anomaly: as its own series judges it, but for a silence of most series at once. That is one
-- outage, of the program, a network or a provider, and no anomaly of each. Of its silences the longest stands for it, with the
-- kind `outage`; the others have the status `outage`. docs/anomalies.md has the rule.

-- A gap has three moments: its beginning, its middle, where it is asked how many others are silent too, and its end. What is no gap
-- has one. `part` is what a moment is counted in: the moments of gaps, and the first and last reports, all together.
WITH moments AS (
  SELECT
    a.*,
    e.event,
    a.micros + cast(CASE e.event WHEN 0 THEN 0e0 WHEN 1 THEN a.observed * 30e6 ELSE a.observed * 60e6 END AS bigint) AS moment,
    CASE WHEN NOT a.is_gap THEN 0 WHEN e.event = 0 THEN 1 WHEN e.event = 2 THEN -1 ELSE 0 END AS silent,
    CASE WHEN a.kind <> 'silent' OR e.event > 0 THEN 0 ELSE
      CASE WHEN a.is_first THEN 1 ELSE 0 END - CASE WHEN a.is_last AND a.is_history THEN 1 ELSE 0 END
    END AS alive,
    CASE
      WHEN a.kind = 'silent' AND (a.is_gap OR a.is_first OR (a.is_last AND a.is_history)) THEN ''
      ELSE concat(a.city, ' ', a.source, ' ', a.kind)
    END AS part
  FROM anomaly_alone AS a
  JOIN (VALUES (0), (1), (2)) AS e(event) ON e.event = 0 OR a.is_gap
),
-- How many series are silent at a moment, of how many that report: of all, and of the source.
counted AS (
  SELECT
    *,
    sum(silent) OVER everything AS silent_all,
    sum(alive) OVER everything AS alive_all,
    sum(silent) OVER own AS silent_own,
    sum(alive) OVER own AS alive_own
  FROM moments
  WINDOW
    everything AS (PARTITION BY part ORDER BY moment, event),
    own AS (PARTITION BY part, source ORDER BY moment, event)
),
states AS (
  SELECT
    *,
    silent_all > 1 AND 2 * silent_all > alive_all AS is_out_all,
    silent_own > 1 AND 2 * silent_own > alive_own AS is_out_own
  FROM counted
),
-- An outage lasts from the first of such moments to the last without another one between.
outages AS (
  SELECT
    *,
    sum(CASE WHEN is_out_all THEN 0 ELSE 1 END) OVER everything AS before_all,
    sum(CASE WHEN is_out_own THEN 0 ELSE 1 END) OVER own AS before_own
  FROM states
  WINDOW
    everything AS (PARTITION BY part ORDER BY moment, event),
    own AS (PARTITION BY part, source ORDER BY moment, event)
),
named AS (
  SELECT
    *,
    CASE
      WHEN NOT is_gap OR status <> 'anomaly' THEN NULL
      WHEN is_out_all THEN concat('all ', cast(before_all AS string))
      WHEN is_out_own THEN concat('of ', cast(before_own AS string), ' ', source)
    END AS outage
  FROM outages
  WHERE event = CASE WHEN is_gap THEN 1 ELSE 0 END
),
ranked AS (
  SELECT
    *,
    row_number() OVER (PARTITION BY coalesce(outage, part), outage IS NULL ORDER BY observed DESC, city, source, micros) AS place,
    count(*) OVER (PARTITION BY coalesce(outage, part), outage IS NULL) AS series
  FROM named
)
SELECT
  city,
  source,
  timestamp,
  log_offset,
  CASE WHEN outage IS NOT NULL AND place = 1 THEN 'outage' ELSE kind END AS kind,
  variable,
  unit,
  observed,
  expected,
  lower,
  upper,
  score,
  CASE WHEN outage IS NOT NULL AND place = 1 THEN 'minutes without a report of most series at once' ELSE method END AS method,
  CASE WHEN outage IS NOT NULL AND place = 1 THEN series ELSE n END AS n,
  CASE
    WHEN outage IS NULL THEN severity
    WHEN place = 1 THEN CASE WHEN is_last THEN 2 ELSE 1 END
  END AS severity,
  CASE WHEN outage IS NOT NULL AND place > 1 THEN 'outage' ELSE status END AS status,
  flag,
  mean,
  stddev,
  z_classic
FROM ranked
