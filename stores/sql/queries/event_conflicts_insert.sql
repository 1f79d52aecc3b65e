INSERT INTO {prefix}event_conflicts (
  sequence, source, event_id, type, api_version, occurred_at, received_at, digest, body_encoding, body
)
SELECT
  {next_place}, {new_event}, value
FROM {entries ?1} AS entry
WHERE true
ON CONFLICT (source, event_id, digest) DO NOTHING
