INSERT INTO {prefix}credits (
  source, invoice, id, state, amount, currency
)
SELECT
  key ->> 0,
  value ->> 'invoice',
  value ->> 'id',
  value ->> 'state',
  CAST(value ->> 'amount' AS BIGINT),
  value ->> 'currency'
FROM {fields ?1} AS entry
WHERE true
