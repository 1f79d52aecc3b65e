UPDATE {prefix}events SET
  status = written.value ->> 2,
  reason = written.value ->> 3,
  attempts = CAST(written.value ->> 4 AS BIGINT),
  due_at = CAST(written.value ->> 5 AS BIGINT),
  lease_token = NULL,
  lease_until = NULL
FROM {rows ?1} AS written
WHERE {prefix}events.source = written.value ->> 0 AND {prefix}events.event_id = written.value ->> 1
