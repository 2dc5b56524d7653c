-- title: Derived values
-- answers: How warm, cold or windy does it feel, and how moist is the air?
-- schedule: default
-- chart: line x=timestamp y=dew_point series=city
-- window: hours
-- note: `dew_point`: Magnus formula with the coefficients of Alduchov and Eskridge (1996), from −40 to 50 °C and from 1 % on.
-- note: `heat_index`: the US National Weather Service's, from 80 °F (26.7 °C) on: Rothfusz's regression (SR 90-23) with both
-- note: adjustments, or the simple formula where that stays below 80 °F; none above 137 °F (58.3 °C), where the Service's chart ends.
-- note: `wind_chill`: Environment Canada's and the Weather Service's, up to 10 °C and above 4.8 km/h. `beaufort`: 0 to 12, by the lower
-- note: bounds in m/s. Outside of these ranges a value is null. `is_suspect`: one of temperature, humidity and wind is suspect.
-- parameter: hours integer 48 Hours back from the newest observation; null for all

-- Values that fail their tests are left out; of one that is suspect so is what is derived from it. 100 to 104 % of humidity
-- are what a sensor says of saturated air.
WITH readings AS (
  SELECT
    q.timestamp,
    q.city,
    q.source,
    CASE WHEN q.temperature_flag <> 4 THEN q.temperature END AS temperature,
    CASE WHEN q.humidity_flag = 4 THEN NULL WHEN q.humidity > 100e0 THEN 100e0 ELSE q.humidity END AS humidity,
    CASE WHEN q.wind_speed_flag <> 4 THEN q.wind_speed END AS wind_speed,
    q.temperature_flag = 3 AS is_temperature_suspect,
    q.humidity_flag = 3 AS is_humidity_suspect,
    q.wind_speed_flag = 3 AS is_wind_speed_suspect
  FROM quality AS q
  CROSS JOIN (SELECT max(timestamp) AS timestamp FROM in_time) AS newest
  WHERE q.q_time <> 4
    AND (
      cast(:hours AS int) IS NULL
      OR q.timestamp > newest.timestamp - cast(:hours AS int) * INTERVAL '1' HOUR
    )
),
-- °F and km/h, as the formulas want them, and the exponent of the Magnus formula where it holds: -40 to 50 °C (Alduchov and
-- Eskridge 1996).
converted AS (
  SELECT
    *,
    1.8e0 * temperature + 32e0 AS fahrenheit,
    3.6e0 * wind_speed AS kmh,
    CASE
      WHEN temperature BETWEEN -40e0 AND 50e0 AND humidity >= 1e0
      THEN ln(greatest(humidity, 1e0) / 100e0) + 17.625e0 * temperature / nullif(243.04e0 + temperature, 0e0)
    END AS gamma
  FROM readings
),
-- The US National Weather Service's heat index from 80 °F: Rothfusz's regression (SR 90-23) with both adjustments, or the
-- simple formula where that stays below 80 °F.
heat AS (
  SELECT
    *,
    (fahrenheit + 0.5e0 * (fahrenheit + 61e0 + 1.2e0 * (fahrenheit - 68e0) + 0.094e0 * humidity)) / 2e0 AS simple,
    -42.379e0 + 2.04901523e0 * fahrenheit + 10.14333127e0 * humidity
      - 0.22475541e0 * fahrenheit * humidity
      - 6.83783e-3 * fahrenheit * fahrenheit
      - 5.481717e-2 * humidity * humidity
      + 1.22874e-3 * fahrenheit * fahrenheit * humidity
      + 8.5282e-4 * fahrenheit * humidity * humidity
      - 1.99e-6 * fahrenheit * fahrenheit * humidity * humidity AS regression,
    CASE
      WHEN humidity < 13e0 AND fahrenheit <= 112e0
      THEN -(13e0 - humidity) / 4e0 * sqrt(greatest(17e0 - abs(fahrenheit - 95e0), 0e0) / 17e0)
      WHEN humidity > 85e0 AND fahrenheit <= 87e0
      THEN (humidity - 85e0) / 10e0 * ((87e0 - fahrenheit) / 5e0)
      ELSE 0e0
    END AS adjustment
  FROM converted
),
felt AS (
  SELECT
    *,
    243.04e0 * gamma / nullif(17.625e0 - gamma, 0e0) AS dew_point,
    CASE
      WHEN fahrenheit < 80e0 THEN NULL
      WHEN simple < 80e0 THEN simple
      ELSE regression + adjustment
    END AS heat_index_fahrenheit
  FROM heat
)
SELECT
  timestamp,
  city,
  source,
  temperature,
  humidity,
  wind_speed,
  dew_point,
  -- The regression says nothing beyond the hottest value of the Weather Service's chart, 137 °F.
  CASE WHEN heat_index_fahrenheit <= 137e0 THEN (heat_index_fahrenheit - 32e0) / 1.8e0 END AS heat_index,
  CASE
    WHEN temperature <= 10e0 AND kmh > 4.8e0
    THEN 13.12e0 + 0.6215e0 * temperature
      + (0.3965e0 * temperature - 11.37e0) * power(greatest(kmh, 0e0), 0.16e0)
  END AS wind_chill,
  CASE
    WHEN wind_speed < 0.3e0 THEN 0
    WHEN wind_speed < 1.6e0 THEN 1
    WHEN wind_speed < 3.4e0 THEN 2
    WHEN wind_speed < 5.5e0 THEN 3
    WHEN wind_speed < 8e0 THEN 4
    WHEN wind_speed < 10.8e0 THEN 5
    WHEN wind_speed < 13.9e0 THEN 6
    WHEN wind_speed < 17.2e0 THEN 7
    WHEN wind_speed < 20.8e0 THEN 8
    WHEN wind_speed < 24.5e0 THEN 9
    WHEN wind_speed < 28.5e0 THEN 10
    WHEN wind_speed < 32.7e0 THEN 11
    WHEN wind_speed >= 32.7e0 THEN 12
  END AS beaufort,
  is_temperature_suspect OR is_humidity_suspect OR is_wind_speed_suspect AS is_suspect
FROM felt
ORDER BY timestamp, city, source
