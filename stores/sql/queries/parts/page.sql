(source, kind, id) > (?1, ?2, ?3)
  AND source <= ?4
ORDER BY source, kind, id
LIMIT CAST(?5 AS BIGINT)
