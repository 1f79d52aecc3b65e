INSERT INTO {prefix}credits (
  source, invoice, id, state, amount, currency
)
SELECT
  key ->> 0,
  value ->> 'invoice',
  value ->> 'id',
  value ->> 'state',
  value ->> 'amount',
  value ->> 'currency'
FROM json_each(?1)
WHERE true
