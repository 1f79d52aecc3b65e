SELECT 1 AS locked
FROM {prefix}events
WHERE (source, event_id) IN (SELECT value ->> 0, value ->> 1 FROM {rows ?1} AS listed)
ORDER BY sequence
{lock_rows}
