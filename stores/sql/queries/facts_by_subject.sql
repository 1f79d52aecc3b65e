SELECT facts.document
FROM {rows ?1} AS wanted
{nested} JOIN {prefix}facts AS facts
  ON facts.source = wanted.value ->> 0
  AND facts.subject_kind = wanted.value ->> 1
  AND facts.subject_id = wanted.value ->> 2
ORDER BY
  facts.source, facts.subject_kind, facts.subject_id,
  facts.version_at, facts.version_then, facts.event_id, facts.ordinal
