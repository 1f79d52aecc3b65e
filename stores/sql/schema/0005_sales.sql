-- What was authorized, captured and received of a payment, and what disputes hold or took.
ALTER TABLE {prefix}payments ADD COLUMN authorized {integer}
  CONSTRAINT payments_authorized_bounds CHECK (authorized BETWEEN -9007199254740991 AND 9007199254740991);
--;
ALTER TABLE {prefix}payments ADD COLUMN captured {integer}
  CONSTRAINT payments_captured_bounds CHECK (captured BETWEEN -9007199254740991 AND 9007199254740991);
--;
ALTER TABLE {prefix}payments ADD COLUMN received {integer}
  CONSTRAINT payments_received_bounds CHECK (received BETWEEN -9007199254740991 AND 9007199254740991);
--;
ALTER TABLE {prefix}payments ADD COLUMN disputed {integer} NOT NULL DEFAULT 0
  CONSTRAINT payments_disputed_bounds CHECK (disputed BETWEEN -9007199254740991 AND 9007199254740991);
--;
ALTER TABLE {prefix}checkouts ADD COLUMN invoice {text};
--;
ALTER TABLE {prefix}invoices ADD COLUMN owner {text};
--;
ALTER TABLE {prefix}entitlements ADD COLUMN disputed {boolean} NOT NULL DEFAULT false
  CONSTRAINT entitlements_disputed_bool CHECK (disputed IN (false, true));
--;
-- Before this time the grant gives nothing. Rows that were there are written anew by a rebuild.
ALTER TABLE {prefix}entitlements ADD COLUMN began_at {integer} NOT NULL DEFAULT 0;
--;
-- A provider's customer is found by its source and id: two sources may use the same id.
DROP INDEX {prefix}subjects_customer;
--;
CREATE INDEX {prefix}subjects_source_customer ON {prefix}subjects (source, customer) WHERE customer IS NOT NULL;
