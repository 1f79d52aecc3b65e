INSERT INTO {prefix}idempotency_keys (scope, idempotency_key, digest, answer, answered_at)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, CAST(value ->> 4 AS BIGINT)
FROM {rows ?1} AS listed
