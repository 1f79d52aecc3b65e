DELETE FROM {prefix}entitlements
WHERE (source, source_kind, source_id) IN (SELECT value ->> 0, value ->> 1, value ->> 2 FROM {rows ?1} AS listed)
