SELECT events.sequence
  FROM {rows ?1} AS released
  {nested} JOIN {prefix}subjects AS subjects
    ON subjects.source = released.value ->> 0
    AND subjects.kind = released.value ->> 1
    AND subjects.id = released.value ->> 2
    AND NOT subjects.released
  {nested} JOIN {prefix}facts AS facts
    ON facts.source = subjects.source AND facts.subject_kind = subjects.kind AND facts.subject_id = subjects.id
  {nested} JOIN {prefix}events AS events
    ON events.source = facts.source AND events.event_id = facts.event_id
  WHERE events.status = 'parked'
