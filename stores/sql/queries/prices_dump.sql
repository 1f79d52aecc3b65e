SELECT {json_object}(
  'source', source,
  'id', id,
  'product', product,
  'active', active,
  'unit_amount', unit_amount,
  'currency', currency,
  'interval', "interval",
  'interval_count', interval_count,
  'deleted', deleted
) AS row_of
FROM {prefix}prices
ORDER BY source, id
