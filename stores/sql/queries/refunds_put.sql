INSERT INTO {prefix}refunds (
  source, payment, id, state, amount, currency
)
SELECT
  key ->> 0,
  value ->> 'payment',
  value ->> 'id',
  value ->> 'state',
  CAST(value ->> 'amount' AS BIGINT),
  value ->> 'currency'
FROM {fields ?1} AS entry
WHERE true
