SELECT {subject}
FROM {prefix}subjects AS subjects
WHERE customer IN (SELECT {document} FROM {rows ?6} AS listed)
  AND (CAST(?7 AS TEXT) IS NULL OR owner = ?7)
  AND {page}
