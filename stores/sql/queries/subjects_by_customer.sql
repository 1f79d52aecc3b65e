SELECT source, kind, id, revision, state
FROM {prefix}subjects
WHERE customer IN (SELECT value FROM json_each(?6))
  AND (source, kind, id) > (?1, ?2, ?3)
  AND source <= ?4
  AND (?7 IS NULL OR owner = ?7)
ORDER BY source, kind, id
LIMIT ?5
