UPDATE {prefix}subjects SET public_id = named.value ->> 3
FROM {rows ?1} AS named
WHERE {prefix}subjects.source = named.value ->> 0
  AND {prefix}subjects.kind = named.value ->> 1
  AND {prefix}subjects.id = named.value ->> 2
