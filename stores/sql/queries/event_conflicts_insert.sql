INSERT INTO {prefix}event_conflicts (
  sequence, source, event_id, type, api_version, occurred_at, received_at, digest, body_encoding, body
)
SELECT
  max(
    coalesce((SELECT max(sequence) FROM {prefix}events), 0),
    coalesce((SELECT max(sequence) FROM {prefix}event_conflicts), 0)
  ) + (key ->> 0),
  key ->> 1, key ->> 2, key ->> 3, key ->> 4, key ->> 5, key ->> 6, key ->> 7, key ->> 8, value
FROM json_each(?1)
WHERE true
ON CONFLICT (source, event_id, digest) DO NOTHING
