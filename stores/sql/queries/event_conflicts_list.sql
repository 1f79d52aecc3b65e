SELECT {event}
FROM {prefix}event_conflicts
WHERE {within}
  AND (CAST(?5 AS TEXT) IS NULL OR (source = ?5 AND event_id = ?6))
ORDER BY sequence
LIMIT CAST(?4 AS BIGINT)
