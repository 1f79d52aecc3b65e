DELETE FROM {prefix}disputes
WHERE (source, payment) IN (SELECT value ->> 0, value ->> 2 FROM json_each(?1))
