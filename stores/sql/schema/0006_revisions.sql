-- It had a row for each write of a subject. The subject's own row is compared now, by the statement that writes it.
DROP TABLE {prefix}subject_revisions;
--;
-- When a fact was committed, by the clock of whoever committed it. Every statement that inserts says it. Of those that were
-- there, the receipt of their event is the nearest that is known.
ALTER TABLE {prefix}facts ADD COLUMN committed_at {integer} NOT NULL DEFAULT 0;
--;
UPDATE {prefix}facts SET committed_at = coalesce((
  SELECT events.received_at
  FROM {prefix}events AS events
  WHERE events.source = {prefix}facts.source AND events.event_id = {prefix}facts.event_id
), 0);
--;
-- Another name, so that a process of the version before can't insert a fact without its time. A default can't be taken back on
-- every engine.
ALTER TABLE {prefix}facts RENAME COLUMN fact TO document;
