CAST(sequence AS TEXT) AS place, source, event_id, type, api_version,
  CAST(occurred_at AS TEXT) AS occurred, CAST(received_at AS TEXT) AS received, digest, body_encoding, body
