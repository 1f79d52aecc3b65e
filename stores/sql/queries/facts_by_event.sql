SELECT facts.document, CAST(facts.committed_at AS TEXT) AS committed
FROM {rows ?1} AS wanted
{nested} JOIN {prefix}facts AS facts
  ON facts.source = wanted.value ->> 0 AND facts.event_id = wanted.value ->> 1
ORDER BY facts.source, facts.event_id, facts.subject_kind, facts.subject_id, facts.ordinal
