DELETE FROM {prefix}facts
WHERE (source, event_id) IN (SELECT value ->> 0, value ->> 1 FROM {rows ?1} AS listed)
  AND (source, subject_kind, subject_id, event_id, ordinal) NOT IN (
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, CAST(value ->> 4 AS BIGINT) FROM {rows ?2} AS anew
  )
