INSERT INTO {prefix}facts (
  source, subject_kind, subject_id, event_id, ordinal, version_at, version_then, object_kind, object_id, fact
)
SELECT
  'acme//test', 'customer', 'cus_older', 'ev_older_' || CAST(coalesce(max(sequence), 0) + 1 AS TEXT), 0, 1, 0, NULL, NULL, '{}'
FROM {prefix}events
--;
INSERT INTO {prefix}events (
  sequence, source, event_id, type, received_at, status, attempts, digest, body_encoding, body
)
SELECT
  coalesce(max(sequence), 0) + 1, 'acme//test', 'ev_older_' || CAST(coalesce(max(sequence), 0) + 1 AS TEXT), 'thing', 2,
  'processed', 1, '0707070707070707070707070707070707070707070707070707070707070707', 'utf8', '{}'
FROM {prefix}events
