{new_facts}
ON CONFLICT (source, subject_kind, subject_id, event_id, ordinal) DO UPDATE SET
  version_at = excluded.version_at,
  version_then = excluded.version_then,
  object_kind = excluded.object_kind,
  object_id = excluded.object_id,
  document = excluded.document
WHERE ({prefix}facts.source, {prefix}facts.event_id) IN (SELECT value ->> 0, value ->> 1 FROM {rows ?3} AS listed)
