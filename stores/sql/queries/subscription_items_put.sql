INSERT INTO {prefix}subscription_items (
  source, subscription, ordinal, price, quantity
)
SELECT
  key ->> 0,
  value ->> 'subscription',
  key ->> 1,
  value ->> 'price',
  value ->> 'quantity'
FROM json_each(?1)
WHERE true
