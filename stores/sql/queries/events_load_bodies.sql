SELECT
  CAST(events.sequence AS TEXT) AS place, events.source, events.event_id, events.type, events.api_version,
  CAST(events.occurred_at AS TEXT) AS occurred, CAST(events.received_at AS TEXT) AS received, events.digest,
  events.body_encoding, events.body, {disposition}
FROM {rows ?1} AS wanted
{nested} JOIN {prefix}events AS events
  ON events.source = wanted.value ->> 0 AND events.event_id = wanted.value ->> 1
