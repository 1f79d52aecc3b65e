SELECT {event}, {disposition}
FROM {prefix}events {using events_public_id}
WHERE public_id = ?1
