INSERT INTO {prefix}subscription_items (
  source, subscription, ordinal, price, quantity
)
SELECT
  key ->> 0,
  value ->> 'subscription',
  CAST(key ->> 1 AS BIGINT),
  value ->> 'price',
  CAST(value ->> 'quantity' AS BIGINT)
FROM {fields ?1} AS entry
WHERE true
