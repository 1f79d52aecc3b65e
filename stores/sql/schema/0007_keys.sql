-- Written once, never changed: the first answer to a request under a caller's key.
CREATE TABLE {prefix}idempotency_keys (
  scope {text} NOT NULL,
  idempotency_key {text} NOT NULL,
  digest {text} NOT NULL,
  answer {text} NOT NULL,
  answered_at {integer} NOT NULL,
  PRIMARY KEY (scope, idempotency_key)
){strict};
