SELECT 1 AS locked
FROM {prefix}subjects
WHERE (source, kind, id) IN (SELECT value ->> 0, value ->> 1, value ->> 2 FROM {rows ?1} AS listed)
ORDER BY source, kind, id
{lock_rows}
