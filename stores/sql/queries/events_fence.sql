INSERT INTO {prefix}fence (lease, event)
SELECT
  CASE WHEN events.sequence IS NULL THEN 0 END,
  events.sequence
FROM json_each(?1) AS wanted
LEFT JOIN {prefix}events AS events
  ON events.source = wanted.value ->> 0 AND events.event_id = wanted.value ->> 1
WHERE events.sequence IS NULL OR (?2 IS NOT NULL AND events.lease_token IS NOT ?2)
