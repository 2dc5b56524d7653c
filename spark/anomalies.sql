-- title: Anomalies
-- answers: Which reports are unusual, which station is stuck or silent, when did most fall silent at once, and what was expected?
-- schedule: default
-- chart: band x=timestamp y=observed low=lower high=upper series=city
-- note: [anomalies.md](anomalies.md) has the six kinds, their methods and thresholds.
-- parameter: hours integer 48 Hours back from the newest observation; null for all that are judged, which are 30 days

WITH judged AS (
  SELECT
    *,
    row_number() OVER (PARTITION BY city, kind ORDER BY timestamp DESC, source) AS place,
    -- A silence is as recent as its end.
    unix_micros(timestamp) + CASE WHEN kind IN ('silent', 'outage') THEN cast(observed * 60e6 AS bigint) ELSE 0 END AS until
  FROM anomaly
  WHERE kind = 'unusual' OR status = 'anomaly'
)
SELECT
  j.timestamp,
  j.city,
  j.source,
  j.kind,
  j.variable,
  j.unit,
  j.observed,
  j.expected,
  j.lower,
  j.upper,
  j.score,
  j.method,
  j.n,
  j.status,
  j.severity,
  j.status = 'anomaly' AS is_anomaly,
  j.kind = 'unusual' AND j.place = 1 AS is_newest,
  j.mean,
  j.stddev,
  j.z_classic,
  j.flag
FROM judged AS j
CROSS JOIN watermark AS w
WHERE (j.kind = 'unusual' AND j.place = 1)
  OR (
    j.status = 'anomaly'
    AND (
      cast(:hours AS int) IS NULL
      OR j.until > unix_micros(w.newest) - cast(:hours AS bigint) * 3600000000
    )
  )
ORDER BY j.timestamp DESC, j.city, j.source, j.kind
