CREATE TABLE {prefix}events (
  sequence INTEGER PRIMARY KEY,
  source TEXT NOT NULL,
  event_id TEXT NOT NULL,
  type TEXT NOT NULL,
  api_version TEXT,
  occurred_at INTEGER,
  received_at INTEGER NOT NULL,
  status TEXT NOT NULL
    CONSTRAINT events_status CHECK (status IN ('failed', 'ignored', 'parked', 'processed', 'received')),
  reason TEXT,
  attempts INTEGER NOT NULL,
  due_at INTEGER,
  lease_token TEXT,
  lease_until INTEGER,
  digest TEXT NOT NULL,
  body_encoding TEXT NOT NULL CONSTRAINT events_body_encoding CHECK (body_encoding IN ('hex', 'utf8')),
  body TEXT NOT NULL,
  UNIQUE (source, event_id)
) STRICT;
--;
-- A worker's queue. Events that are done are not in it.
CREATE INDEX {prefix}events_due ON {prefix}events (due_at, sequence) WHERE due_at IS NOT NULL;
--;
-- What an operator looks for among millions that are done.
CREATE INDEX {prefix}events_open ON {prefix}events (sequence) WHERE status IN ('failed', 'parked', 'received');
--;
CREATE TABLE {prefix}event_conflicts (
  sequence INTEGER PRIMARY KEY,
  source TEXT NOT NULL,
  event_id TEXT NOT NULL,
  type TEXT NOT NULL,
  api_version TEXT,
  occurred_at INTEGER,
  received_at INTEGER NOT NULL,
  digest TEXT NOT NULL,
  body_encoding TEXT NOT NULL CONSTRAINT event_conflicts_body_encoding CHECK (body_encoding IN ('hex', 'utf8')),
  body TEXT NOT NULL,
  UNIQUE (source, event_id, digest),
  FOREIGN KEY (source, event_id) REFERENCES {prefix}events (source, event_id)
) STRICT;
--;
-- Never holds a row: a statement that finds an expectation broken puts a NULL here, which ends the batch.
CREATE TABLE {prefix}fence (
  lease INTEGER NOT NULL,
  event INTEGER NOT NULL
) STRICT;
--;
CREATE TABLE {prefix}facts (
  source TEXT NOT NULL,
  subject_kind TEXT NOT NULL,
  subject_id TEXT NOT NULL,
  event_id TEXT NOT NULL,
  ordinal INTEGER NOT NULL,
  version_at INTEGER NOT NULL,
  version_then INTEGER NOT NULL,
  object_kind TEXT,
  object_id TEXT,
  fact TEXT NOT NULL,
  PRIMARY KEY (source, subject_kind, subject_id, event_id, ordinal)
) STRICT;
--;
CREATE INDEX {prefix}facts_event ON {prefix}facts (source, event_id);
--;
CREATE TABLE {prefix}subjects (
  source TEXT NOT NULL,
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  revision INTEGER NOT NULL,
  customer TEXT,
  owner TEXT,
  released INTEGER NOT NULL CONSTRAINT subjects_released_bool CHECK (released IN (0, 1)),
  state TEXT NOT NULL,
  PRIMARY KEY (source, kind, id)
) STRICT;
--;
CREATE INDEX {prefix}subjects_customer ON {prefix}subjects (customer) WHERE customer IS NOT NULL;
--;
CREATE INDEX {prefix}subjects_owner ON {prefix}subjects (owner) WHERE owner IS NOT NULL;
--;
-- The next revision of a subject can be inserted only once: that is the compare-and-swap.
CREATE TABLE {prefix}subject_revisions (
  source TEXT NOT NULL,
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  revision INTEGER NOT NULL,
  PRIMARY KEY (source, kind, id, revision)
) STRICT, WITHOUT ROWID;
--;
CREATE TABLE {prefix}waits (
  source TEXT NOT NULL,
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  on_source TEXT NOT NULL,
  on_kind TEXT NOT NULL,
  on_id TEXT NOT NULL,
  PRIMARY KEY (source, kind, id, on_source, on_kind, on_id)
) STRICT, WITHOUT ROWID;
--;
CREATE INDEX {prefix}waits_on ON {prefix}waits (on_source, on_kind, on_id);
--;
CREATE TABLE {prefix}transitions (
  object TEXT NOT NULL,
  at INTEGER NOT NULL,
  change TEXT NOT NULL,
  PRIMARY KEY (object, at, change)
) STRICT, WITHOUT ROWID;
--;
CREATE TABLE {prefix}customers (
  source TEXT NOT NULL,
  id TEXT NOT NULL,
  email TEXT,
  name TEXT,
  deleted INTEGER NOT NULL CONSTRAINT customers_deleted_bool CHECK (deleted IN (0, 1)),
  owner TEXT,
  PRIMARY KEY (source, id)
) STRICT, WITHOUT ROWID;
--;
CREATE INDEX {prefix}customers_owner ON {prefix}customers (owner) WHERE owner IS NOT NULL;
--;
CREATE TABLE {prefix}checkouts (
  source TEXT NOT NULL,
  id TEXT NOT NULL,
  state TEXT NOT NULL,
  mode TEXT NOT NULL,
  customer TEXT,
  owner TEXT,
  subscription TEXT,
  payment TEXT,
  PRIMARY KEY (source, id)
) STRICT, WITHOUT ROWID;
--;
CREATE INDEX {prefix}checkouts_customer ON {prefix}checkouts (customer) WHERE customer IS NOT NULL;
--;
CREATE TABLE {prefix}subscriptions (
  source TEXT NOT NULL,
  id TEXT NOT NULL,
  state TEXT NOT NULL,
  provider_status TEXT NOT NULL,
  period_start INTEGER,
  period_end INTEGER,
  trial_end INTEGER,
  cancel_at INTEGER,
  ended_at INTEGER,
  collection_paused INTEGER NOT NULL CONSTRAINT subscriptions_collection_paused_bool CHECK (collection_paused IN (0, 1)),
  customer TEXT,
  owner TEXT,
  PRIMARY KEY (source, id)
) STRICT, WITHOUT ROWID;
--;
CREATE INDEX {prefix}subscriptions_customer ON {prefix}subscriptions (customer) WHERE customer IS NOT NULL;
--;
CREATE TABLE {prefix}subscription_items (
  source TEXT NOT NULL,
  subscription TEXT NOT NULL,
  ordinal INTEGER NOT NULL,
  price TEXT NOT NULL,
  quantity INTEGER,
  PRIMARY KEY (source, subscription, ordinal),
  FOREIGN KEY (source, subscription) REFERENCES {prefix}subscriptions (source, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
--;
CREATE TABLE {prefix}invoices (
  source TEXT NOT NULL,
  id TEXT NOT NULL,
  state TEXT NOT NULL,
  total INTEGER NOT NULL CONSTRAINT invoices_total_bounds CHECK (total BETWEEN -9007199254740991 AND 9007199254740991),
  amount_paid INTEGER NOT NULL CONSTRAINT invoices_amount_paid_bounds CHECK (amount_paid BETWEEN -9007199254740991 AND 9007199254740991),
  currency TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  finalized_at INTEGER,
  paid_at INTEGER,
  voided_at INTEGER,
  deleted INTEGER NOT NULL CONSTRAINT invoices_deleted_bool CHECK (deleted IN (0, 1)),
  customer TEXT,
  subscription TEXT,
  PRIMARY KEY (source, id)
) STRICT, WITHOUT ROWID;
--;
CREATE INDEX {prefix}invoices_customer ON {prefix}invoices (customer) WHERE customer IS NOT NULL;
--;
CREATE TABLE {prefix}payments (
  source TEXT NOT NULL,
  id TEXT NOT NULL,
  state TEXT,
  amount INTEGER CONSTRAINT payments_amount_bounds CHECK (amount BETWEEN -9007199254740991 AND 9007199254740991),
  currency TEXT,
  refunded INTEGER NOT NULL CONSTRAINT payments_refunded_bounds CHECK (refunded BETWEEN -9007199254740991 AND 9007199254740991),
  dispute TEXT NOT NULL,
  customer TEXT,
  owner TEXT,
  invoice TEXT,
  subscription TEXT,
  PRIMARY KEY (source, id)
) STRICT, WITHOUT ROWID;
--;
CREATE INDEX {prefix}payments_customer ON {prefix}payments (customer) WHERE customer IS NOT NULL;
--;
CREATE TABLE {prefix}refunds (
  source TEXT NOT NULL,
  payment TEXT NOT NULL,
  id TEXT NOT NULL,
  state TEXT NOT NULL,
  amount INTEGER NOT NULL CONSTRAINT refunds_amount_bounds CHECK (amount BETWEEN -9007199254740991 AND 9007199254740991),
  currency TEXT NOT NULL,
  PRIMARY KEY (source, payment, id),
  FOREIGN KEY (source, payment) REFERENCES {prefix}payments (source, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
--;
CREATE TABLE {prefix}disputes (
  source TEXT NOT NULL,
  payment TEXT NOT NULL,
  id TEXT NOT NULL,
  state TEXT NOT NULL,
  amount INTEGER NOT NULL CONSTRAINT disputes_amount_bounds CHECK (amount BETWEEN -9007199254740991 AND 9007199254740991),
  currency TEXT NOT NULL,
  PRIMARY KEY (source, payment, id),
  FOREIGN KEY (source, payment) REFERENCES {prefix}payments (source, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
--;
CREATE TABLE {prefix}products (
  source TEXT NOT NULL,
  id TEXT NOT NULL,
  name TEXT,
  active INTEGER NOT NULL CONSTRAINT products_active_bool CHECK (active IN (0, 1)),
  deleted INTEGER NOT NULL CONSTRAINT products_deleted_bool CHECK (deleted IN (0, 1)),
  PRIMARY KEY (source, id)
) STRICT, WITHOUT ROWID;
--;
CREATE TABLE {prefix}prices (
  source TEXT NOT NULL,
  id TEXT NOT NULL,
  product TEXT,
  active INTEGER NOT NULL CONSTRAINT prices_active_bool CHECK (active IN (0, 1)),
  unit_amount INTEGER CONSTRAINT prices_unit_amount_bounds CHECK (unit_amount BETWEEN -9007199254740991 AND 9007199254740991),
  currency TEXT,
  "interval" TEXT,
  interval_count INTEGER,
  deleted INTEGER NOT NULL CONSTRAINT prices_deleted_bool CHECK (deleted IN (0, 1)),
  PRIMARY KEY (source, id)
) STRICT, WITHOUT ROWID;
--;
CREATE TABLE {prefix}schedules (
  source TEXT NOT NULL,
  id TEXT NOT NULL,
  state TEXT NOT NULL,
  subscription TEXT,
  PRIMARY KEY (source, id)
) STRICT, WITHOUT ROWID;
--;
CREATE TABLE {prefix}entitlements (
  source TEXT NOT NULL,
  source_kind TEXT NOT NULL,
  source_id TEXT NOT NULL,
  ordinal INTEGER NOT NULL,
  benefit TEXT NOT NULL,
  state TEXT NOT NULL,
  quantity INTEGER,
  given_up INTEGER NOT NULL CONSTRAINT entitlements_given_up_bool CHECK (given_up IN (0, 1)),
  since INTEGER NOT NULL,
  ends_at INTEGER,
  period_end INTEGER,
  customer TEXT,
  owner TEXT,
  PRIMARY KEY (source, source_kind, source_id, ordinal)
) STRICT, WITHOUT ROWID;
--;
CREATE INDEX {prefix}entitlements_customer ON {prefix}entitlements (customer) WHERE customer IS NOT NULL;
--;
CREATE INDEX {prefix}entitlements_owner ON {prefix}entitlements (owner) WHERE owner IS NOT NULL;
