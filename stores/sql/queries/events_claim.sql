UPDATE {prefix}events SET lease_token = ?1, lease_until = ?2
WHERE sequence IN (
  SELECT sequence FROM {prefix}events
  WHERE due_at <= ?3 AND (lease_until IS NULL OR lease_until <= ?3)
  ORDER BY due_at, sequence
  LIMIT ?4
)
RETURNING sequence, source, event_id, type, api_version, occurred_at, received_at, digest, body_encoding, body,
  status, reason, attempts, due_at
