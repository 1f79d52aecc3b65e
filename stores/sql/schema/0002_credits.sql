CREATE TABLE {prefix}credits (
  source {text} NOT NULL,
  invoice {text} NOT NULL,
  id {text} NOT NULL,
  state {text} NOT NULL,
  amount {integer} NOT NULL CONSTRAINT credits_amount_bounds CHECK (amount BETWEEN -9007199254740991 AND 9007199254740991),
  currency {text} NOT NULL,
  -- No reference to the invoice's row: a credit may come before it.
  PRIMARY KEY (source, invoice, id)
){strict_by_key};
--;
ALTER TABLE {prefix}payments ADD COLUMN attempts {integer} NOT NULL DEFAULT 0;
--;
ALTER TABLE {prefix}subscriptions ADD COLUMN pause_at {integer};
--;
ALTER TABLE {prefix}subscriptions ADD COLUMN resume_at {integer};
--;
ALTER TABLE {prefix}entitlements ADD COLUMN pause_at {integer};
--;
-- The price that grants.
ALTER TABLE {prefix}entitlements ADD COLUMN price {text};
