DELETE FROM {prefix}event_conflicts
--;
DELETE FROM {prefix}events
--;
DELETE FROM {prefix}facts
--;
DELETE FROM {prefix}idempotency_keys
--;
DELETE FROM {prefix}subjects
--;
DELETE FROM {prefix}pending_owners
