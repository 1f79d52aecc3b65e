SELECT kept.scope, kept.idempotency_key, kept.digest, kept.answer, CAST(kept.answered_at AS TEXT) AS answered
FROM {rows ?1} AS wanted
{nested} JOIN {prefix}idempotency_keys AS kept
  ON kept.scope = wanted.value ->> 0 AND kept.idempotency_key = wanted.value ->> 1
