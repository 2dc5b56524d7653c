-- The limits of quality control that are the same everywhere, in one row.
-- A span (s) is the time between two reports up to which a test compares them: ten minutes more than its hours, because hourly
-- reports do not come to the second.

SELECT
  max(CASE WHEN test = 'step' AND variable = 'temperature' AND hours = 1e0 THEN suspect_high END) AS step_1h,
  max(CASE WHEN test = 'step' AND variable = 'temperature' AND hours = 2e0 THEN suspect_high END) AS step_2h,
  max(CASE WHEN test = 'step' AND variable = 'temperature' AND hours = 3e0 THEN suspect_high END) AS step_3h,
  max(CASE WHEN test = 'step' AND variable = 'temperature' AND hours = 6e0 THEN suspect_high END) AS step_6h,
  max(CASE WHEN test = 'step' AND variable = 'temperature' AND hours = 12e0 THEN suspect_high END) AS step_12h,
  max(CASE WHEN test = 'step' AND variable = 'temperature' THEN fail_high END) AS step_1h_fail,
  max(CASE WHEN test = 'step' AND variable = 'humidity' THEN suspect_high END) AS step_humidity_suspect,
  max(CASE WHEN test = 'step' AND variable = 'pressure' THEN suspect_high END) AS step_pressure_suspect,
  max(CASE WHEN test = 'step' AND variable = 'pressure' THEN fail_high END) AS step_pressure_fail,
  max(CASE WHEN test = 'spike' AND variable = 'temperature' THEN suspect_high END) AS spike_temperature_suspect,
  max(CASE WHEN test = 'spike' AND variable = 'temperature' THEN fail_high END) AS spike_temperature_fail,
  max(CASE WHEN test = 'spike' AND variable = 'pressure' THEN suspect_high END) AS spike_pressure_suspect,
  max(CASE WHEN test = 'spike' AND variable = 'pressure' THEN fail_high END) AS spike_pressure_fail,
  max(CASE WHEN test = 'stuck' AND variable = 'temperature' THEN suspect_high END) * 3600e0
    AS stuck_temperature_suspect,
  max(CASE WHEN test = 'stuck' AND variable = 'temperature' THEN fail_high END) * 3600e0 AS stuck_temperature_fail,
  max(CASE WHEN test = 'stuck' AND variable = 'humidity' THEN suspect_high END) * 3600e0 AS stuck_humidity_suspect,
  max(CASE WHEN test = 'stuck' AND variable = 'humidity' THEN fail_high END) * 3600e0 AS stuck_humidity_fail,
  max(CASE WHEN test = 'stuck' AND variable = 'pressure' THEN suspect_high END) * 3600e0 AS stuck_pressure_suspect,
  max(CASE WHEN test = 'stuck' AND variable = 'saturation' THEN suspect_high END) AS saturation,
  max(CASE WHEN test = 'time' AND variable = 'order' THEN suspect_high END) * 60e0 AS order_suspect,
  1e0 * 3600e0 + 600e0 AS span_1h,
  2e0 * 3600e0 + 600e0 AS span_2h,
  3e0 * 3600e0 + 600e0 AS span_3h,
  6e0 * 3600e0 + 600e0 AS span_6h,
  12e0 * 3600e0 + 600e0 AS span_12h
FROM limits
