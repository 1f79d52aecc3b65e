SELECT {subject}
FROM {rows ?1} AS wanted
{nested} JOIN {prefix}subjects AS subjects
  ON subjects.source = wanted.value ->> 0
  AND subjects.kind = wanted.value ->> 1
  AND subjects.id = wanted.value ->> 2
