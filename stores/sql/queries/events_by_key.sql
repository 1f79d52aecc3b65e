SELECT {event}, {fate}
FROM {prefix}events
WHERE source = ?1 AND event_id = ?2
UNION ALL
SELECT {event}, {conflict}
FROM {prefix}event_conflicts
WHERE source = ?1 AND event_id = ?2
