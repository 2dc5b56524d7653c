-- The observations without those whose time was ahead of the clock when the log took them, which fail the test of time: such
-- a time is no time, and takes part in nothing but the count of failures.

SELECT o.*
FROM observations AS o
CROSS JOIN (SELECT max(fail_low) * 60e6 AS micros FROM limits WHERE test = 'time' AND variable = 'age') AS age
WHERE cast(unix_micros(o.ingested_at) - unix_micros(o.timestamp) AS double) >= age.micros
