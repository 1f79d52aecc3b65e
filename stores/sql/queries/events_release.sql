UPDATE {prefix}events SET status = 'processed'
WHERE status = 'parked' AND sequence IN (
  SELECT events.sequence
  FROM json_each(?1) AS released
  CROSS JOIN {prefix}subjects AS subjects
    ON subjects.source = released.value ->> 0
    AND subjects.kind = released.value ->> 1
    AND subjects.id = released.value ->> 2
    AND subjects.released = 0
  CROSS JOIN {prefix}facts AS facts
    ON facts.source = subjects.source AND facts.subject_kind = subjects.kind AND facts.subject_id = subjects.id
  CROSS JOIN {prefix}events AS events
    ON events.source = facts.source AND events.event_id = facts.event_id
  WHERE events.status = 'parked'
    AND NOT EXISTS (
      SELECT 1
      FROM {prefix}facts AS other INDEXED BY {prefix}facts_event
      LEFT JOIN {prefix}subjects AS held
        ON held.source = other.source AND held.kind = other.subject_kind AND held.id = other.subject_id
      WHERE other.source = events.source
        AND other.event_id = events.event_id
        AND CASE
          WHEN (other.source, other.subject_kind, other.subject_id)
            IN (SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?1)) THEN false
          WHEN (other.source, other.subject_kind, other.subject_id)
            IN (SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?2)) THEN true
          ELSE held.released = 0
        END
    )
)
