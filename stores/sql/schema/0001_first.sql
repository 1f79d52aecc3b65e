CREATE TABLE {prefix}events (
  sequence {integer} PRIMARY KEY,
  source {text} NOT NULL,
  event_id {text} NOT NULL,
  type {text} NOT NULL,
  api_version {text},
  occurred_at {integer},
  received_at {integer} NOT NULL,
  status {text} NOT NULL
    CONSTRAINT events_status CHECK (status IN ('failed', 'ignored', 'parked', 'processed', 'received')),
  reason {text},
  attempts {integer} NOT NULL,
  due_at {integer},
  lease_token {text},
  lease_until {integer},
  digest {text} NOT NULL,
  body_encoding {text} NOT NULL CONSTRAINT events_body_encoding CHECK (body_encoding IN ('hex', 'utf8')),
  body {text} NOT NULL,
  UNIQUE (source, event_id)
){strict};
--;
-- A worker's queue. Events that are done are not in it.
CREATE INDEX {prefix}events_due ON {prefix}events (due_at, sequence) WHERE due_at IS NOT NULL;
--;
-- What an operator looks for among millions that are done.
CREATE INDEX {prefix}events_open ON {prefix}events (sequence) WHERE status IN ('failed', 'parked', 'received');
--;
CREATE TABLE {prefix}event_conflicts (
  sequence {integer} PRIMARY KEY,
  source {text} NOT NULL,
  event_id {text} NOT NULL,
  type {text} NOT NULL,
  api_version {text},
  occurred_at {integer},
  received_at {integer} NOT NULL,
  digest {text} NOT NULL,
  body_encoding {text} NOT NULL CONSTRAINT event_conflicts_body_encoding CHECK (body_encoding IN ('hex', 'utf8')),
  body {text} NOT NULL,
  UNIQUE (source, event_id, digest),
  FOREIGN KEY (source, event_id) REFERENCES {prefix}events (source, event_id)
){strict};
--;
-- Never holds a row: a statement that finds an expectation broken puts a NULL here, which ends the batch.
CREATE TABLE {prefix}fence (
  lease {integer} NOT NULL,
  event {integer} NOT NULL
){strict};
--;
CREATE TABLE {prefix}facts (
  source {text} NOT NULL,
  subject_kind {text} NOT NULL,
  subject_id {text} NOT NULL,
  event_id {text} NOT NULL,
  ordinal {integer} NOT NULL,
  version_at {integer} NOT NULL,
  version_then {integer} NOT NULL,
  object_kind {text},
  object_id {text},
  fact {text} NOT NULL,
  PRIMARY KEY (source, subject_kind, subject_id, event_id, ordinal)
){strict};
--;
CREATE INDEX {prefix}facts_event ON {prefix}facts (source, event_id);
--;
CREATE TABLE {prefix}subjects (
  source {text} NOT NULL,
  kind {text} NOT NULL,
  id {text} NOT NULL,
  revision {integer} NOT NULL,
  customer {text},
  owner {text},
  released {boolean} NOT NULL CONSTRAINT subjects_released_bool CHECK (released IN (false, true)),
  state {text} NOT NULL,
  PRIMARY KEY (source, kind, id)
){strict};
--;
CREATE INDEX {prefix}subjects_customer ON {prefix}subjects (customer) WHERE customer IS NOT NULL;
--;
CREATE INDEX {prefix}subjects_owner ON {prefix}subjects (owner) WHERE owner IS NOT NULL;
--;
-- The next revision of a subject can be inserted only once: that is the compare-and-swap.
CREATE TABLE {prefix}subject_revisions (
  source {text} NOT NULL,
  kind {text} NOT NULL,
  id {text} NOT NULL,
  revision {integer} NOT NULL,
  PRIMARY KEY (source, kind, id, revision)
){strict_by_key};
--;
CREATE TABLE {prefix}waits (
  source {text} NOT NULL,
  kind {text} NOT NULL,
  id {text} NOT NULL,
  on_source {text} NOT NULL,
  on_kind {text} NOT NULL,
  on_id {text} NOT NULL,
  PRIMARY KEY (source, kind, id, on_source, on_kind, on_id)
){strict_by_key};
--;
CREATE INDEX {prefix}waits_on ON {prefix}waits (on_source, on_kind, on_id);
--;
CREATE TABLE {prefix}transitions (
  object {text} NOT NULL,
  at {integer} NOT NULL,
  change {text} NOT NULL,
  PRIMARY KEY (object, at, change)
){strict_by_key};
--;
CREATE TABLE {prefix}customers (
  source {text} NOT NULL,
  id {text} NOT NULL,
  email {text},
  name {text},
  deleted {boolean} NOT NULL CONSTRAINT customers_deleted_bool CHECK (deleted IN (false, true)),
  owner {text},
  PRIMARY KEY (source, id)
){strict_by_key};
--;
CREATE INDEX {prefix}customers_owner ON {prefix}customers (owner) WHERE owner IS NOT NULL;
--;
CREATE TABLE {prefix}checkouts (
  source {text} NOT NULL,
  id {text} NOT NULL,
  state {text} NOT NULL,
  mode {text} NOT NULL,
  customer {text},
  owner {text},
  subscription {text},
  payment {text},
  PRIMARY KEY (source, id)
){strict_by_key};
--;
CREATE INDEX {prefix}checkouts_customer ON {prefix}checkouts (customer) WHERE customer IS NOT NULL;
--;
CREATE TABLE {prefix}subscriptions (
  source {text} NOT NULL,
  id {text} NOT NULL,
  state {text} NOT NULL,
  provider_status {text} NOT NULL,
  period_start {integer},
  period_end {integer},
  trial_end {integer},
  cancel_at {integer},
  ended_at {integer},
  collection_paused {boolean} NOT NULL CONSTRAINT subscriptions_collection_paused_bool CHECK (collection_paused IN (false, true)),
  customer {text},
  owner {text},
  PRIMARY KEY (source, id)
){strict_by_key};
--;
CREATE INDEX {prefix}subscriptions_customer ON {prefix}subscriptions (customer) WHERE customer IS NOT NULL;
--;
CREATE TABLE {prefix}subscription_items (
  source {text} NOT NULL,
  subscription {text} NOT NULL,
  ordinal {integer} NOT NULL,
  price {text} NOT NULL,
  quantity {integer},
  PRIMARY KEY (source, subscription, ordinal),
  FOREIGN KEY (source, subscription) REFERENCES {prefix}subscriptions (source, id) ON DELETE CASCADE
){strict_by_key};
--;
CREATE TABLE {prefix}invoices (
  source {text} NOT NULL,
  id {text} NOT NULL,
  state {text} NOT NULL,
  total {integer} NOT NULL CONSTRAINT invoices_total_bounds CHECK (total BETWEEN -9007199254740991 AND 9007199254740991),
  amount_paid {integer} NOT NULL CONSTRAINT invoices_amount_paid_bounds CHECK (amount_paid BETWEEN -9007199254740991 AND 9007199254740991),
  currency {text} NOT NULL,
  attempts {integer} NOT NULL,
  finalized_at {integer},
  paid_at {integer},
  voided_at {integer},
  deleted {boolean} NOT NULL CONSTRAINT invoices_deleted_bool CHECK (deleted IN (false, true)),
  customer {text},
  subscription {text},
  PRIMARY KEY (source, id)
){strict_by_key};
--;
CREATE INDEX {prefix}invoices_customer ON {prefix}invoices (customer) WHERE customer IS NOT NULL;
--;
CREATE TABLE {prefix}payments (
  source {text} NOT NULL,
  id {text} NOT NULL,
  state {text},
  amount {integer} CONSTRAINT payments_amount_bounds CHECK (amount BETWEEN -9007199254740991 AND 9007199254740991),
  currency {text},
  refunded {integer} NOT NULL CONSTRAINT payments_refunded_bounds CHECK (refunded BETWEEN -9007199254740991 AND 9007199254740991),
  dispute {text} NOT NULL,
  customer {text},
  owner {text},
  invoice {text},
  subscription {text},
  PRIMARY KEY (source, id)
){strict_by_key};
--;
CREATE INDEX {prefix}payments_customer ON {prefix}payments (customer) WHERE customer IS NOT NULL;
--;
CREATE TABLE {prefix}refunds (
  source {text} NOT NULL,
  payment {text} NOT NULL,
  id {text} NOT NULL,
  state {text} NOT NULL,
  amount {integer} NOT NULL CONSTRAINT refunds_amount_bounds CHECK (amount BETWEEN -9007199254740991 AND 9007199254740991),
  currency {text} NOT NULL,
  PRIMARY KEY (source, payment, id),
  FOREIGN KEY (source, payment) REFERENCES {prefix}payments (source, id) ON DELETE CASCADE
){strict_by_key};
--;
CREATE TABLE {prefix}disputes (
  source {text} NOT NULL,
  payment {text} NOT NULL,
  id {text} NOT NULL,
  state {text} NOT NULL,
  amount {integer} NOT NULL CONSTRAINT disputes_amount_bounds CHECK (amount BETWEEN -9007199254740991 AND 9007199254740991),
  currency {text} NOT NULL,
  PRIMARY KEY (source, payment, id),
  FOREIGN KEY (source, payment) REFERENCES {prefix}payments (source, id) ON DELETE CASCADE
){strict_by_key};
--;
CREATE TABLE {prefix}products (
  source {text} NOT NULL,
  id {text} NOT NULL,
  name {text},
  active {boolean} NOT NULL CONSTRAINT products_active_bool CHECK (active IN (false, true)),
  deleted {boolean} NOT NULL CONSTRAINT products_deleted_bool CHECK (deleted IN (false, true)),
  PRIMARY KEY (source, id)
){strict_by_key};
--;
CREATE TABLE {prefix}prices (
  source {text} NOT NULL,
  id {text} NOT NULL,
  product {text},
  active {boolean} NOT NULL CONSTRAINT prices_active_bool CHECK (active IN (false, true)),
  unit_amount {integer} CONSTRAINT prices_unit_amount_bounds CHECK (unit_amount BETWEEN -9007199254740991 AND 9007199254740991),
  currency {text},
  "interval" {text},
  interval_count {integer},
  deleted {boolean} NOT NULL CONSTRAINT prices_deleted_bool CHECK (deleted IN (false, true)),
  PRIMARY KEY (source, id)
){strict_by_key};
--;
CREATE TABLE {prefix}schedules (
  source {text} NOT NULL,
  id {text} NOT NULL,
  state {text} NOT NULL,
  subscription {text},
  PRIMARY KEY (source, id)
){strict_by_key};
--;
CREATE TABLE {prefix}entitlements (
  source {text} NOT NULL,
  source_kind {text} NOT NULL,
  source_id {text} NOT NULL,
  ordinal {integer} NOT NULL,
  benefit {text} NOT NULL,
  state {text} NOT NULL,
  quantity {integer},
  given_up {boolean} NOT NULL CONSTRAINT entitlements_given_up_bool CHECK (given_up IN (false, true)),
  since {integer} NOT NULL,
  ends_at {integer},
  period_end {integer},
  customer {text},
  owner {text},
  PRIMARY KEY (source, source_kind, source_id, ordinal)
){strict_by_key};
--;
CREATE INDEX {prefix}entitlements_customer ON {prefix}entitlements (customer) WHERE customer IS NOT NULL;
--;
CREATE INDEX {prefix}entitlements_owner ON {prefix}entitlements (owner) WHERE owner IS NOT NULL;
