SELECT waits.source, waits.kind, waits.id, waits.on_source, waits.on_kind, waits.on_id
FROM {rows ?1} AS wanted
{nested} JOIN {prefix}waits AS waits
  ON waits.on_source = wanted.value ->> 0
  AND waits.on_kind = wanted.value ->> 1
  AND waits.on_id = wanted.value ->> 2
ORDER BY waits.source, waits.kind, waits.id, waits.on_source, waits.on_kind, waits.on_id
