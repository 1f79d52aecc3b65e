INSERT INTO {prefix}events (
  sequence, source, event_id, type, received_at, status, attempts, digest, body_encoding, body
)
SELECT
  coalesce(max(sequence), 0) + 1, 'acme//test', 'ev_older_' || CAST(coalesce(max(sequence), 0) + 1 AS TEXT), 'thing', 2,
  'processed', 1, '0707070707070707070707070707070707070707070707070707070707070707', 'utf8', '{}'
FROM {prefix}events
--;
INSERT INTO {prefix}subject_revisions (source, kind, id, revision)
SELECT 'acme//test', 'customer', 'cus_older', coalesce(max(revision), 0) + 1 FROM {prefix}subject_revisions
--;
INSERT INTO {prefix}subjects (source, kind, id, revision, released, state)
SELECT 'acme//test', 'customer', 'cus_older', coalesce(max(revision), 0), true, '{}'
FROM {prefix}subject_revisions
WHERE true
ON CONFLICT (source, kind, id) DO UPDATE SET revision = excluded.revision
