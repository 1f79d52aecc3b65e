SELECT {event}, {disposition}
FROM {prefix}events {using events_open}
WHERE {within}
  AND status IN ('awaiting_fetch', 'failed', 'parked', 'received')
  AND status IN (SELECT {document} FROM {rows ?5} AS listed)
ORDER BY sequence
LIMIT CAST(?4 AS BIGINT)
