SELECT {event}, {disposition}
FROM {prefix}events
WHERE source = ?1 AND event_id = ?2
