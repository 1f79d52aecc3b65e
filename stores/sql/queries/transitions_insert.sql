INSERT INTO {prefix}transitions (object, at, change)
SELECT value ->> 0, value ->> 1, value ->> 2
FROM json_each(?1)
WHERE true
ON CONFLICT DO NOTHING
