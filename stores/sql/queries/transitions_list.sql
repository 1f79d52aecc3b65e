SELECT object, CAST(at AS TEXT) AS instant, change
FROM {prefix}transitions
WHERE (CAST(?1 AS TEXT) IS NULL OR object = ?1)
  AND (object, at, change) > (CAST(?2 AS TEXT), CAST(?3 AS BIGINT), CAST(?4 AS TEXT))
ORDER BY object, at, change
LIMIT CAST(?5 AS BIGINT)
