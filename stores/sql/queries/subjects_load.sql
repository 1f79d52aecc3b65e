SELECT subjects.source, subjects.kind, subjects.id, subjects.revision, subjects.state
FROM json_each(?1) AS wanted
CROSS JOIN {prefix}subjects AS subjects
  ON subjects.source = wanted.value ->> 0
  AND subjects.kind = wanted.value ->> 1
  AND subjects.id = wanted.value ->> 2
