SELECT {subject}
FROM {prefix}subjects AS subjects
WHERE (source, customer) IN (SELECT value ->> 0, value ->> 1 FROM {rows ?6} AS listed)
  AND (CAST(?7 AS TEXT) IS NULL OR owner = ?7)
  AND {page}
