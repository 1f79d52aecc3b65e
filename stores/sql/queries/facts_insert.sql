INSERT INTO {prefix}facts (
  source, subject_kind, subject_id, event_id, ordinal, version_at, version_then, object_kind, object_id, fact
)
SELECT
  key ->> 0, key ->> 1, key ->> 2, key ->> 3, key ->> 4, key ->> 5, key ->> 6, key ->> 7, key ->> 8, value
FROM json_each(?1)
WHERE true
ON CONFLICT DO NOTHING
