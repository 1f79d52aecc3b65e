INSERT INTO {prefix}transitions (object, at, change)
SELECT value ->> 0, CAST(value ->> 1 AS BIGINT), value ->> 2
FROM {rows ?1} AS listed
WHERE true
ON CONFLICT DO NOTHING
