INSERT INTO {prefix}fence (lease, event)
SELECT
  CASE WHEN wanted.found IS NULL OR wanted.moved THEN 0 END,
  CASE WHEN NOT wanted.moved THEN wanted.found END
FROM (
  SELECT
    events.sequence AS found,
    events.lease_token AS token,
    (listed.value ->> 2) IS NOT NULL AND events.status IS DISTINCT FROM (listed.value ->> 2) AS moved
  FROM {rows ?1} AS listed
  LEFT JOIN {prefix}events AS events
    ON events.source = listed.value ->> 0 AND events.event_id = listed.value ->> 1
) AS wanted
WHERE wanted.found IS NULL
  OR wanted.moved
  OR (CAST(?2 AS TEXT) IS NOT NULL AND wanted.token IS DISTINCT FROM ?2)
