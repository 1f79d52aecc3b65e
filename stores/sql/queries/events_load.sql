SELECT events.sequence, events.source, events.event_id, events.type, events.api_version, events.occurred_at, events.received_at, events.digest, 'utf8', '',
  events.status, events.reason, events.attempts, events.due_at
FROM json_each(?1) AS wanted
CROSS JOIN {prefix}events AS events
  ON events.source = wanted.value ->> 0 AND events.event_id = wanted.value ->> 1
