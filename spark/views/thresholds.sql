-- What is shown, alerted and severe, in the measure of each kind's score; the fewest samples it is judged by; and the
-- smallest spread, °C, that it is measured in. docs/anomalies.md says how they were chosen: one set for all places.

SELECT kind, shown, alert, severe, samples, floor
FROM (
  VALUES
    -- multiples of the usual step of that hour, of which both must be as large
    ('spike', 2e0, 2e0, 4e0, 100, 1.5e0),
    -- multiples of the usual step of that hour
    ('step', 4e0, 4e0, 8e0, 100, 1.5e0),
    -- robust z; samples are days
    ('unusual', 3.5e0, 7e0, 10e0, 10, 0.5e0),
    -- hours without a change; samples are reports
    ('stuck', 6e0, 12e0, 24e0, 6, NULL),
    -- usual intervals without a report; samples are intervals
    ('silent', 3e0, 3e0, 24e0, 10, NULL)
) AS t(kind, shown, alert, severe, samples, floor)
