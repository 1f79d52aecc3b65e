DELETE FROM {prefix}facts
WHERE (source, event_id) IN (SELECT value ->> 0, value ->> 1 FROM {rows ?1} AS listed)
