SELECT events.sequence
  FROM {rows ?1} AS settled
  {nested} JOIN {prefix}subjects AS subjects
    ON subjects.source = settled.value ->> 0
    AND subjects.kind = settled.value ->> 1
    AND subjects.id = settled.value ->> 2
    AND NOT subjects.owner_settled
  {nested} JOIN {prefix}facts AS facts
    ON facts.source = subjects.source AND facts.subject_kind = subjects.kind AND facts.subject_id = subjects.id
  {nested} JOIN {prefix}events AS events
    ON events.source = facts.source AND events.event_id = facts.event_id
  WHERE events.status = 'parked'
