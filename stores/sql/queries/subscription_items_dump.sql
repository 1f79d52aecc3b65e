SELECT json_object(
  'source', source,
  'subscription', subscription,
  'ordinal', ordinal,
  'price', price,
  'quantity', quantity
)
FROM {prefix}subscription_items
ORDER BY source, subscription, ordinal
