CREATE TABLE {prefix}credits (
  source TEXT NOT NULL,
  invoice TEXT NOT NULL,
  id TEXT NOT NULL,
  state TEXT NOT NULL,
  amount INTEGER NOT NULL CONSTRAINT credits_amount_bounds CHECK (amount BETWEEN -9007199254740991 AND 9007199254740991),
  currency TEXT NOT NULL,
  -- No reference to the invoice's row: a credit may come before it.
  PRIMARY KEY (source, invoice, id)
) STRICT, WITHOUT ROWID;
--;
ALTER TABLE {prefix}payments ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0;
--;
ALTER TABLE {prefix}subscriptions ADD COLUMN pause_at INTEGER;
--;
ALTER TABLE {prefix}subscriptions ADD COLUMN resume_at INTEGER;
--;
ALTER TABLE {prefix}entitlements ADD COLUMN pause_at INTEGER;
--;
-- The price that grants.
ALTER TABLE {prefix}entitlements ADD COLUMN price TEXT;
