INSERT INTO {prefix}facts (
  source, subject_kind, subject_id, event_id, ordinal, version_at, version_then, object_kind, object_id, committed_at, document
)
SELECT
  key ->> 0, key ->> 1, key ->> 2, key ->> 3,
  CAST(key ->> 4 AS BIGINT), CAST(key ->> 5 AS BIGINT), CAST(key ->> 6 AS BIGINT),
  key ->> 7, key ->> 8, CAST(?2 AS BIGINT), value
FROM {entries ?1} AS entry
WHERE true
