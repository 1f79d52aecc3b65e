-- One status more. The column comes anew, because not every engine can change a CHECK; the default only saves writing the
-- many rows that are done, and every statement that inserts names the status.
DROP INDEX {prefix}events_open;
--;
ALTER TABLE {prefix}events ADD COLUMN status_anew {text} NOT NULL DEFAULT 'processed'
  CONSTRAINT events_status_anew CHECK (
    status_anew IN ('awaiting_fetch', 'failed', 'ignored', 'parked', 'processed', 'received')
  );
--;
-- A thin event was kept as received, with what is to be fetched as its reason.
UPDATE {prefix}events SET status_anew = CASE
  WHEN status = 'received' AND due_at IS NULL AND reason LIKE '%"kind":"fetch"%' THEN 'awaiting_fetch'
  ELSE status
END
WHERE status <> 'processed';
--;
ALTER TABLE {prefix}events DROP COLUMN status;
--;
ALTER TABLE {prefix}events RENAME COLUMN status_anew TO status;
--;
-- What an operator looks for among millions that are done.
CREATE INDEX {prefix}events_open ON {prefix}events (sequence)
WHERE status IN ('awaiting_fetch', 'failed', 'parked', 'received');
--;
-- The id that receipts and logs show: a digest that no engine computes. The migration fills it in afterwards.
ALTER TABLE {prefix}events ADD COLUMN public_id {text};
--;
CREATE INDEX {prefix}events_public_id ON {prefix}events (public_id) WHERE public_id IS NOT NULL;
--;
-- Empty but for what an older library inserts while this one is deployed.
CREATE INDEX {prefix}events_unnamed ON {prefix}events (sequence) WHERE public_id IS NULL;
--;
ALTER TABLE {prefix}subjects ADD COLUMN public_id {text};
--;
CREATE INDEX {prefix}subjects_public_id ON {prefix}subjects (public_id) WHERE public_id IS NOT NULL;
--;
CREATE INDEX {prefix}subjects_unnamed ON {prefix}subjects (source, kind, id) WHERE public_id IS NULL;
