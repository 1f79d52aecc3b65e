UPDATE {prefix}events SET status = 'processed'
WHERE status = 'parked' AND sequence IN (
  {parked}
    AND NOT EXISTS (
      SELECT 1
      FROM {prefix}facts AS other {using facts_event}
      LEFT JOIN {prefix}subjects AS held
        ON held.source = other.source AND held.kind = other.subject_kind AND held.id = other.subject_id
      WHERE other.source = events.source
        AND other.event_id = events.event_id
        AND CASE
          WHEN (other.source, other.subject_kind, other.subject_id)
            IN (SELECT value ->> 0, value ->> 1, value ->> 2 FROM {rows ?1} AS listed) THEN false
          WHEN (other.source, other.subject_kind, other.subject_id)
            IN (SELECT value ->> 0, value ->> 1, value ->> 2 FROM {rows ?2} AS listed) THEN true
          ELSE NOT held.owner_settled
        END
    )
)
