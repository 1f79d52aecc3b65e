-- One word for one thing. Documents that older versions wrote keep their keys and are read as before.
DROP INDEX {prefix}events_lane;
--;
ALTER TABLE {prefix}events RENAME COLUMN lane TO ordering_key;
--;
CREATE INDEX {prefix}events_ordering_key ON {prefix}events (source, ordering_key, sequence)
WHERE due_at IS NOT NULL AND ordering_key IS NOT NULL;
--;
ALTER TABLE {prefix}subjects RENAME COLUMN released TO owner_settled;
--;
ALTER TABLE {prefix}waits RENAME TO {prefix}pending_owners;
--;
ALTER TABLE {prefix}entitlements RENAME COLUMN source_kind TO origin_kind;
--;
ALTER TABLE {prefix}entitlements RENAME COLUMN source_id TO origin_id;
