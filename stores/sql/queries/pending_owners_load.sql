SELECT pending.source, pending.kind, pending.id, pending.on_source, pending.on_kind, pending.on_id
FROM {rows ?1} AS wanted
{nested} JOIN {prefix}pending_owners AS pending
  ON pending.on_source = wanted.value ->> 0
  AND pending.on_kind = wanted.value ->> 1
  AND pending.on_id = wanted.value ->> 2
ORDER BY pending.source, pending.kind, pending.id, pending.on_source, pending.on_kind, pending.on_id
