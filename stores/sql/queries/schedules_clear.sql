DELETE FROM {prefix}schedules
WHERE (source, id) IN (SELECT value ->> 0, value ->> 2 FROM json_each(?1))
