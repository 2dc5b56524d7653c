-- The measured reports, and which outage a silence belongs to: one of most series at once, of all or of a source. It is of the
-- program, a network or a provider, and no anomaly of each series. docs/anomalies.md has the rule. The live judge leaves it out
-- where it judges what has just arrived, which is not silent.

-- A gap has three moments: its beginning, its middle, where it is asked how many others are silent too, and its end. Any other
-- report has one. It is a gap from half of what is shown on: where one series has been silent for long enough, the others soon
-- will be. `counted_in` is what a moment is counted among: the moments of gaps, and the first and last reports, all together.
WITH gaps AS (
  SELECT
    *,
    coalesce(is_silence_judged AND silence_score >= silence_shown / 2e0, false) AS is_gap,
    report = 1 AS is_first,
    micros_next IS NULL AND q_time = 2 AS is_end_of_history
  FROM measured
),
moments AS (
  SELECT
    g.*,
    e.event,
    g.micros + cast(CASE e.event WHEN 0 THEN 0e0 WHEN 1 THEN g.silence * 30e6 ELSE g.silence * 60e6 END AS bigint) AS moment,
    CASE WHEN NOT g.is_gap OR e.event = 1 THEN 0 WHEN e.event = 0 THEN 1 ELSE -1 END AS silent,
    CASE
      WHEN e.event > 0 THEN 0
      ELSE CASE WHEN g.is_first THEN 1 ELSE 0 END - CASE WHEN g.is_end_of_history THEN 1 ELSE 0 END
    END AS alive,
    CASE WHEN g.is_gap OR g.is_first OR g.is_end_of_history THEN '' ELSE concat(g.city, ' ', g.source) END AS counted_in
  FROM gaps AS g
  JOIN (VALUES (0), (1), (2)) AS e(event) ON e.event = 0 OR g.is_gap
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
    everything AS (PARTITION BY counted_in ORDER BY moment, event),
    own AS (PARTITION BY counted_in, source ORDER BY moment, event)
),
states AS (
  SELECT
    *,
    silent_all > 1 AND 2 * silent_all > alive_all AS is_out_all,
    silent_own > 1 AND 2 * silent_own > alive_own AS is_out_own
  FROM counted
),
-- An outage lasts from the first of such moments to the last without another one between.
numbered AS (
  SELECT
    *,
    sum(CASE WHEN is_out_all THEN 0 ELSE 1 END) OVER everything AS before_all,
    sum(CASE WHEN is_out_own THEN 0 ELSE 1 END) OVER own AS before_own
  FROM states
  WINDOW
    everything AS (PARTITION BY counted_in ORDER BY moment, event),
    own AS (PARTITION BY counted_in, source ORDER BY moment, event)
),
named AS (
  SELECT
    *,
    CASE
      WHEN NOT is_gap OR silence_score < silence_shown THEN NULL
      WHEN is_out_all THEN concat('all ', cast(before_all AS string))
      WHEN is_out_own THEN concat('of ', cast(before_own AS string), ' ', source)
    END AS outage
  FROM numbered
  WHERE event = CASE WHEN is_gap THEN 1 ELSE 0 END
),
ranked AS (
  SELECT
    *,
    row_number() OVER (PARTITION BY coalesce(outage, counted_in), outage IS NULL ORDER BY silence DESC, city, source, micros)
      AS place_in_outage,
    count(*) OVER (PARTITION BY coalesce(outage, counted_in), outage IS NULL) AS series_of_outage
  FROM named
)
SELECT *
FROM ranked
