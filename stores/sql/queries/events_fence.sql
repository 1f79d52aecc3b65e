INSERT INTO {prefix}fence (lease, event)
SELECT
  CASE WHEN wanted.found IS NULL OR wanted.moved THEN 0 END,
  CASE WHEN NOT wanted.moved THEN wanted.found END
FROM (
  SELECT
    events.sequence AS found,
    events.lease_token AS token,
    (row.value ->> 2) IS NOT NULL AND events.status IS NOT (row.value ->> 2) AS moved
  FROM json_each(?1) AS row
  LEFT JOIN {prefix}events AS events
    ON events.source = row.value ->> 0 AND events.event_id = row.value ->> 1
) AS wanted
WHERE wanted.found IS NULL OR wanted.moved OR (?2 IS NOT NULL AND wanted.token IS NOT ?2)
