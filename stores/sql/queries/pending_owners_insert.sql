INSERT INTO {prefix}pending_owners (source, kind, id, on_source, on_kind, on_id)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5
FROM {rows ?1} AS listed
WHERE true
ON CONFLICT DO NOTHING
