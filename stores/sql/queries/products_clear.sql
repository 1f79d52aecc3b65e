DELETE FROM {prefix}products
WHERE (source, id) IN (SELECT value ->> 0, value ->> 2 FROM json_each(?1))
