-- Whose event it is, in the queue: kind/id. Those that came before have none, and wait for nobody.
ALTER TABLE {prefix}events ADD COLUMN lane {text};
--;
-- A worker's queue goes by arrival. Events that are done are not in it.
DROP INDEX {prefix}events_due;
--;
CREATE INDEX {prefix}events_waiting ON {prefix}events (sequence, due_at) WHERE due_at IS NOT NULL;
--;
CREATE INDEX {prefix}events_lane ON {prefix}events (source, lane, sequence)
WHERE due_at IS NOT NULL AND lane IS NOT NULL;
