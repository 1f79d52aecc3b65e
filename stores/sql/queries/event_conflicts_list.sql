SELECT {event}, {conflict}
FROM {prefix}event_conflicts
WHERE {within}
ORDER BY sequence
LIMIT CAST(?4 AS BIGINT)
