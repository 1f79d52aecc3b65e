DELETE FROM {prefix}pending_owners
WHERE (source, kind, id) IN (SELECT value ->> 0, value ->> 1, value ->> 2 FROM {rows ?1} AS listed)
