WITH due AS MATERIALIZED (
  SELECT sequence FROM {prefix}events
  WHERE due_at <= CAST(?3 AS BIGINT) AND (lease_until IS NULL OR lease_until <= CAST(?3 AS BIGINT))
  ORDER BY due_at, sequence
  LIMIT CAST(?4 AS BIGINT)
  {lock_free_rows}
)
UPDATE {prefix}events SET lease_token = ?1, lease_until = CAST(?2 AS BIGINT)
WHERE sequence IN (SELECT sequence FROM due)
RETURNING {event}, {fate}
