DELETE FROM {prefix}facts
WHERE (source, event_id) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?1))
