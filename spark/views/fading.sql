-- What is left of a departure from usual after an hour, and after how many hours two reports say nothing of a step any more.
-- docs/anomalies.md has the formulas.

SELECT 0.97e0 AS left_per_hour, 6e0 AS longest_step
