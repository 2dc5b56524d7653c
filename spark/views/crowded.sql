-- Cities with more than one source: only their reports are compared with others.

SELECT city
FROM observations
GROUP BY city
HAVING min(source) <> max(source)
