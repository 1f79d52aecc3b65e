SELECT source, kind, id, revision, state
FROM {prefix}subjects
WHERE (source, kind, id) > (?1, ?2, ?3)
  AND source <= ?4
ORDER BY source, kind, id
LIMIT ?5
