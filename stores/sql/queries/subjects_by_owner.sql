SELECT {subject}
FROM {prefix}subjects AS subjects
WHERE owner = ?6
  AND {page}
