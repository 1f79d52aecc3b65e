SELECT CAST(sequence AS TEXT) AS place, source, event_id
FROM {prefix}events {using events_unnamed}
WHERE public_id IS NULL AND sequence > CAST(?1 AS BIGINT)
ORDER BY sequence
LIMIT CAST(?2 AS BIGINT)
