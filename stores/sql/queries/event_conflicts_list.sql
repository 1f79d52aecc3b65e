SELECT sequence, source, event_id, type, api_version, occurred_at, received_at, digest, body_encoding, body,
  'conflict', NULL, 0, NULL
FROM {prefix}event_conflicts
WHERE sequence > ?1
  AND (?2 IS NULL OR received_at >= ?2)
  AND (?3 IS NULL OR received_at < ?3)
ORDER BY sequence
LIMIT ?4
