-- title: Records
-- answers: What are the extremes of each city in all of the data, and when were they reached?
-- schedule: default
-- note: `value` was first reached at `timestamp`, and `times` in all; `n` are the values it is the extreme of, `since` when the city's
-- note: first report is from. `is_suspect`: that first report's value is suspect, which records often are. `rainfall_1h_max` is the
-- note: largest single report of the last hour's rain; a city without rain has none.

-- Values that fail their tests are left out; suspect ones stand, and are told.
WITH readings AS (
  SELECT
    city,
    source,
    timestamp,
    temperature_flag,
    humidity_flag,
    pressure_flag,
    wind_speed_flag,
    wind_gust_flag,
    rainfall_flag,
    CASE WHEN temperature_flag <> 4 THEN temperature END AS temperature,
    CASE WHEN humidity_flag <> 4 THEN humidity END AS humidity,
    CASE WHEN pressure_flag <> 4 THEN pressure END AS pressure,
    CASE WHEN wind_speed_flag <> 4 THEN wind_speed END AS wind_speed,
    CASE WHEN wind_gust_flag <> 4 THEN wind_gust END AS wind_gust,
    CASE WHEN rainfall_flag <> 4 THEN rainfall END AS rainfall
  FROM quality
  WHERE q_time <> 4
),
extremes AS (
  SELECT
    city,
    min(timestamp) AS since,
    max(temperature) AS temperature_max,
    min(temperature) AS temperature_min,
    count(temperature) AS n_temperature,
    min(humidity) AS humidity_min,
    count(humidity) AS n_humidity,
    max(pressure) AS pressure_max,
    min(pressure) AS pressure_min,
    count(pressure) AS n_pressure,
    max(wind_speed) AS wind_speed_max,
    count(wind_speed) AS n_wind_speed,
    max(wind_gust) AS wind_gust_max,
    count(wind_gust) AS n_wind_gust,
    -- No rain is no record.
    max(CASE WHEN rainfall > 0e0 THEN rainfall END) AS rainfall_max,
    count(rainfall) AS n_rainfall
  FROM readings
  GROUP BY city
),
-- The few reports that reach an extreme of their city.
reached AS (
  SELECT
    r.*,
    e.since,
    e.temperature_max,
    e.temperature_min,
    e.n_temperature,
    e.humidity_min,
    e.n_humidity,
    e.pressure_max,
    e.pressure_min,
    e.n_pressure,
    e.wind_speed_max,
    e.n_wind_speed,
    e.wind_gust_max,
    e.n_wind_gust,
    e.rainfall_max,
    e.n_rainfall
  FROM readings AS r
  JOIN extremes AS e ON e.city = r.city
  WHERE r.temperature = e.temperature_max
    OR r.temperature = e.temperature_min
    OR r.humidity = e.humidity_min
    OR r.pressure = e.pressure_max
    OR r.pressure = e.pressure_min
    OR r.wind_speed = e.wind_speed_max
    OR r.wind_gust = e.wind_gust_max
    OR r.rainfall = e.rainfall_max
),
records AS (
  SELECT city, since, 'temperature_max' AS record, temperature AS value, n_temperature AS n, timestamp, source,
    temperature_flag AS flag
  FROM reached
  WHERE temperature = temperature_max
  UNION ALL
  SELECT city, since, 'temperature_min', temperature, n_temperature, timestamp, source, temperature_flag
  FROM reached
  WHERE temperature = temperature_min
  UNION ALL
  SELECT city, since, 'humidity_min', humidity, n_humidity, timestamp, source, humidity_flag
  FROM reached
  WHERE humidity = humidity_min
  UNION ALL
  SELECT city, since, 'pressure_max', pressure, n_pressure, timestamp, source, pressure_flag
  FROM reached
  WHERE pressure = pressure_max
  UNION ALL
  SELECT city, since, 'pressure_min', pressure, n_pressure, timestamp, source, pressure_flag
  FROM reached
  WHERE pressure = pressure_min
  UNION ALL
  SELECT city, since, 'wind_speed_max', wind_speed, n_wind_speed, timestamp, source, wind_speed_flag
  FROM reached
  WHERE wind_speed = wind_speed_max
  UNION ALL
  SELECT city, since, 'wind_gust_max', wind_gust, n_wind_gust, timestamp, source, wind_gust_flag
  FROM reached
  WHERE wind_gust = wind_gust_max
  UNION ALL
  SELECT city, since, 'rainfall_1h_max', rainfall, n_rainfall, timestamp, source, rainfall_flag
  FROM reached
  WHERE rainfall = rainfall_max
),
placed AS (
  SELECT
    *,
    count(*) OVER (PARTITION BY city, record) AS times,
    row_number() OVER (PARTITION BY city, record ORDER BY timestamp, source) AS place
  FROM records
)
-- The first time it was reached, and how often since.
SELECT city, record, value, timestamp, source, times, flag = 3 AS is_suspect, n, since
FROM placed
WHERE place = 1
ORDER BY city, record
