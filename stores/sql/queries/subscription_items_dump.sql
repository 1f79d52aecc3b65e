SELECT {json_object}(
  'source', source,
  'subscription', subscription,
  'ordinal', ordinal,
  'price', price,
  'quantity', quantity
) AS row_of
FROM {prefix}subscription_items
ORDER BY source, subscription, ordinal
