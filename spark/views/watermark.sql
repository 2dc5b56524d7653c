-- The moment up to which silence is judged: the newest time of the data set. The live judge has the clock in its place.

SELECT max(timestamp) AS newest
FROM in_time
