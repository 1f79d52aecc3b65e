SELECT {event}, {disposition}
FROM {prefix}events
WHERE {within}
  AND status IN (SELECT {document} FROM {rows ?5} AS listed)
ORDER BY sequence
LIMIT CAST(?4 AS BIGINT)
