DELETE FROM {prefix}waits
WHERE (source, kind, id) IN (SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?1))
