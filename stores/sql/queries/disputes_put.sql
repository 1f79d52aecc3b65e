INSERT INTO {prefix}disputes (
  source, payment, id, state, amount, currency
)
SELECT
  key ->> 0,
  value ->> 'payment',
  value ->> 'id',
  value ->> 'state',
  value ->> 'amount',
  value ->> 'currency'
FROM json_each(?1)
WHERE true
