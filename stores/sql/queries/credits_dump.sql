SELECT {json_object}(
  'source', source,
  'invoice', invoice,
  'id', id,
  'state', state,
  'amount', amount,
  'currency', currency
) AS row_of
FROM {prefix}credits
ORDER BY source, invoice, id
