DELETE FROM {prefix}checkouts
--;
DELETE FROM {prefix}credits
--;
DELETE FROM {prefix}customers
--;
DELETE FROM {prefix}entitlements
--;
DELETE FROM {prefix}event_conflicts
--;
DELETE FROM {prefix}events
--;
DELETE FROM {prefix}facts
--;
DELETE FROM {prefix}idempotency_keys
--;
DELETE FROM {prefix}invoices
--;
DELETE FROM {prefix}refunds
--;
DELETE FROM {prefix}disputes
--;
DELETE FROM {prefix}payments
--;
DELETE FROM {prefix}prices
--;
DELETE FROM {prefix}products
--;
DELETE FROM {prefix}schedules
--;
DELETE FROM {prefix}subject_revisions
--;
DELETE FROM {prefix}subjects
--;
DELETE FROM {prefix}subscription_items
--;
DELETE FROM {prefix}subscriptions
--;
DELETE FROM {prefix}transitions
--;
DELETE FROM {prefix}waits
