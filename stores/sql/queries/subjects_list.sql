SELECT {subject}
FROM {prefix}subjects AS subjects
WHERE {page}
