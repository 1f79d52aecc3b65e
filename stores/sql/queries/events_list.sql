SELECT sequence, source, event_id, type, api_version, occurred_at, received_at, digest, body_encoding, body,
  status, reason, attempts, due_at
FROM {prefix}events
WHERE sequence > ?1
  AND (?2 IS NULL OR received_at >= ?2)
  AND (?3 IS NULL OR received_at < ?3)
  AND status IN (SELECT value FROM json_each(?5))
ORDER BY sequence
LIMIT ?4
