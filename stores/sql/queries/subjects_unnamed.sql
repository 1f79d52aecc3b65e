SELECT source, kind, id
FROM {prefix}subjects {using subjects_unnamed}
WHERE public_id IS NULL AND (source, kind, id) > (?1, ?2, ?3)
ORDER BY source, kind, id
LIMIT CAST(?4 AS BIGINT)
