-- Cities with more than one source: only their reports are compared with others.

SELECT city
FROM in_time
GROUP BY city
HAVING min(source) <> max(source)
