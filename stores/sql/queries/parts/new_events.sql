INSERT INTO {prefix}events (
  sequence, source, event_id, type, api_version, occurred_at, received_at, digest, body_encoding,
  status, reason, attempts, due_at, ordering_key, public_id, body
)
SELECT
  {next_place}, {new_event},
  key ->> 9, key ->> 10, CAST(key ->> 11 AS BIGINT), CAST(key ->> 12 AS BIGINT), key ->> 13, key ->> 14, value
FROM {entries ?1} AS entry
WHERE true
