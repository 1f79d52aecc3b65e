WITH free AS MATERIALIZED (
  SELECT sequence, source, ordering_key FROM {prefix}events AS candidate {using events_waiting}
  WHERE due_at <= CAST(?3 AS BIGINT) AND (lease_until IS NULL OR lease_until <= CAST(?3 AS BIGINT))
    AND NOT EXISTS (
      SELECT 1 FROM {prefix}events AS earlier {using events_ordering_key}
      WHERE earlier.source = candidate.source
        AND earlier.ordering_key = candidate.ordering_key
        AND earlier.sequence < candidate.sequence
        AND earlier.due_at <= CAST(?3 AS BIGINT)
        AND earlier.lease_until > CAST(?3 AS BIGINT)
    )
  ORDER BY sequence
  LIMIT CAST(?4 AS BIGINT)
  {lock_free_rows}
)
UPDATE {prefix}events SET lease_token = ?1, lease_until = CAST(?2 AS BIGINT), attempts = attempts + 1
WHERE sequence IN (
  SELECT free.sequence FROM free
  WHERE NOT EXISTS (
    SELECT 1 FROM {prefix}events AS earlier {using events_ordering_key}
    WHERE earlier.source = free.source
      AND earlier.ordering_key = free.ordering_key
      AND earlier.sequence < free.sequence
      AND earlier.due_at <= CAST(?3 AS BIGINT)
      AND earlier.sequence NOT IN (SELECT sequence FROM free)
  )
)
RETURNING {event}, {disposition}
