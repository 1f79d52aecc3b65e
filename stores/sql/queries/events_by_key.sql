SELECT sequence, source, event_id, type, api_version, occurred_at, received_at, digest, body_encoding, body,
  status, reason, attempts, due_at
FROM {prefix}events
WHERE source = ?1 AND event_id = ?2
UNION ALL
SELECT sequence, source, event_id, type, api_version, occurred_at, received_at, digest, body_encoding, body,
  'conflict', NULL, 0, NULL
FROM {prefix}event_conflicts
WHERE source = ?1 AND event_id = ?2
ORDER BY sequence
