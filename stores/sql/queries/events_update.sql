UPDATE {prefix}events SET
  status = written.value ->> 2,
  reason = written.value ->> 3,
  attempts = written.value ->> 4,
  due_at = written.value ->> 5,
  lease_token = NULL,
  lease_until = NULL
FROM json_each(?1) AS written
WHERE {prefix}events.source = written.value ->> 0 AND {prefix}events.event_id = written.value ->> 1
